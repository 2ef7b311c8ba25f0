-- Timers of flows in working days: they stand still while the case is paused and follow the calendar.
ALTER TABLE timer ADD COLUMN days @INT;      -- working days from start_day; NULL: a plain instant
ALTER TABLE timer ADD COLUMN start_day @INT;
ALTER TABLE timer ADD COLUMN node TEXT NOT NULL DEFAULT ''; -- of the flow, to be shown
