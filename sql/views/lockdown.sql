-- Only the files that the views read can be opened, nothing can be loaded or fetched, and none of this can be undone.
SET GLOBAL allowed_paths = [$files];
SET GLOBAL allowed_directories = [$folders];
SET GLOBAL python_enable_replacements = false;
SET GLOBAL enable_external_access = false;
SET GLOBAL lock_configuration = true;
