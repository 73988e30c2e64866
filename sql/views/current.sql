-- Each table and derived series as the connection sees it: all that was seen, or all that was seen by its moment.
CREATE VIEW prices AS FROM prices_as_of('infinity');

CREATE VIEW actions AS FROM actions_as_of('infinity');

CREATE VIEW macro AS FROM macro_as_of('infinity');

CREATE VIEW bars AS FROM bars_as_of('infinity');

CREATE VIEW quarantine AS FROM quarantine_as_of('infinity');

CREATE VIEW sweep_runs AS FROM sweep_runs_as_of('infinity');

CREATE VIEW sweep_results AS FROM sweep_results_as_of('infinity');

CREATE VIEW study_runs AS FROM study_runs_as_of('infinity');

CREATE VIEW study_figures AS FROM study_figures_as_of('infinity');

CREATE VIEW sessions AS FROM sessions_as_of('infinity');

CREATE VIEW adjusted AS FROM adjusted_as_of('infinity');

CREATE VIEW aligned AS FROM aligned_as_of('infinity');

CREATE VIEW panel_long AS FROM panel_long_as_of('infinity');

CREATE VIEW panel AS FROM panel_as_of('infinity');
