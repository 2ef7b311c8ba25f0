-- Lists of a period with a department, a town or an item, newest first: each is a range of one index, and counted
-- in it. Only accepted cases stand in these: a case that comes in and waits writes none of them.
CREATE INDEX cases_accepted_unit ON cases(unit_id, accepted_at, town_id, channel) WHERE accepted_at IS NOT NULL;
CREATE INDEX cases_accepted_item ON cases(item_id, accepted_at, unit_id, town_id, channel) WHERE accepted_at IS NOT NULL;
CREATE INDEX cases_accepted_town ON cases(town_id, accepted_at, channel) WHERE accepted_at IS NOT NULL AND town_id IS NOT NULL;
-- The few that are late, came over the counter, or ended without a decision.
CREATE INDEX cases_accepted_overdue ON cases(overdue, accepted_at, unit_id) WHERE overdue = 1;
CREATE INDEX cases_decided_overdue ON cases(overdue, decided_at, unit_id) WHERE overdue = 1;
CREATE INDEX cases_accepted_window ON cases(channel, accepted_at, unit_id) WHERE channel = 1 AND accepted_at IS NOT NULL;
CREATE INDEX cases_ended ON cases(state) WHERE state > 5;
