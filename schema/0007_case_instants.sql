-- Only cases that were accepted, decided: nobody looks for the others there, and each was put in with
-- no instant and moved when it came.
DROP INDEX cases_accepted;
CREATE INDEX cases_accepted ON cases(accepted_at, item_id, unit_id, town_id, channel)
    WHERE accepted_at IS NOT NULL;
DROP INDEX cases_decided;
CREATE INDEX cases_decided ON cases(decided_at, item_id, unit_id, town_id, overdue)
    WHERE decided_at IS NOT NULL;
