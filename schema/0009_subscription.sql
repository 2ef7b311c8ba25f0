-- What flows of cases wait for from elsewhere, and what was thrown to them. A delivery is carried out
-- by a timer of its own (kind 'delivery', its token the delivery), so once, by whatever node.
CREATE TABLE flow_subscription (
    case_id @INT NOT NULL REFERENCES cases(id),
    kind @INT NOT NULL,         -- FlowThrown: 1 message, 2 signal
    name TEXT NOT NULL,
    PRIMARY KEY (kind, name, case_id)
);
CREATE INDEX flow_subscription_case ON flow_subscription(case_id);
CREATE TABLE flow_delivery (
    id @ID,
    case_id @INT NOT NULL REFERENCES cases(id),
    kind @INT NOT NULL,
    name TEXT NOT NULL,
    values_json TEXT NOT NULL,  -- merged into the flow's variables where it is caught
    from_case_id @INT NOT NULL REFERENCES cases(id),
    thrown_at @INT NOT NULL,
    delivered_at @INT           -- or found that nobody waits any more
);
CREATE INDEX flow_delivery_case ON flow_delivery(case_id);
