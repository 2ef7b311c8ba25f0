-- A step of a flow that could not be taken (流程异常): tried again with back-off, then waiting for an
-- administrator. Never deleted.
CREATE TABLE incident (
    id @ID,
    case_id @INT NOT NULL REFERENCES cases(id),
    token @INT NOT NULL,        -- of the flow instance; 0: the whole of it
    node TEXT NOT NULL,         -- where in the flow
    name TEXT NOT NULL,
    kind @INT NOT NULL,         -- IncidentKind
    state @INT NOT NULL,        -- IncidentState
    attempts @INT NOT NULL,     -- so far, the first included
    error_json TEXT NOT NULL,   -- the last refusal: {text: zh template, args, where}
    input_json TEXT NOT NULL,   -- what is to be fed again, when it is an input that failed
    opened_at @INT NOT NULL,
    tried_at @INT NOT NULL,
    next_at @INT,               -- of the next attempt, while it retries
    closed_at @INT,
    closed_by @INT,             -- account; NULL: the system
    closing TEXT NOT NULL DEFAULT '' -- how it ended: retried, skipped, error, migrated, gone
);
CREATE INDEX incident_case ON incident(case_id);
CREATE INDEX incident_open ON incident(state, id) WHERE state < 3;
