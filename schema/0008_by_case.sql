-- What a case's page asks of these by its case: each looked through the whole table.
CREATE INDEX ledger_entry_case ON ledger_entry(case_id);
CREATE INDEX rating_rectify ON rating(rectify_case_id) WHERE rectify_case_id IS NOT NULL;
