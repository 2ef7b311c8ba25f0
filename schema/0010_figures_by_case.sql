-- Figures of a department or a town ask of each act and rating whose case it is: each was looked up in its table.
DROP INDEX event_handling;
CREATE INDEX event_handling ON event(at, handling, case_id) WHERE handling > 0;
DROP INDEX rating_rated;
CREATE INDEX rating_rated ON rating(rated_at, grade, case_id);
