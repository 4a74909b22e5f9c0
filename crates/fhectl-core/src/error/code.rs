//! Every error code, in one table.
//!
//! A line is: variant, text, HTTP status (`-` where no server sends it), `retry` where sending the same again may help,
//! exit code of the command line, and what it means. The texts are stable: scripts and the protocol rely on them.

use std::fmt;

macro_rules! codes {
    ($($(#[$group:meta])* $variant:ident $text:literal $status:tt $retry:tt $exit:literal $meaning:literal)*) => {
        /// What went wrong, as scripts, logs and the protocol name it.
        ///
        /// The code alone decides the HTTP status of a server's reply and the exit code of the command line.
        ///
        /// ```
        /// use fhectl_core::error::ErrorCode;
        ///
        /// let code = ErrorCode::Busy;
        /// assert_eq!((code.as_str(), code.status(), code.exit_code()), ("busy", Some(429), 2));
        /// assert!(code.is_retryable());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text, e.g. `csv_cell`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The HTTP status of a server's reply; none of a code that no server sends.
            pub const fn status(self) -> Option<u16> {
                match self {
                    $(Self::$variant => status!($status),)*
                }
            }

            /// Whether sending the same again may help.
            pub const fn is_retryable(self) -> bool {
                match self {
                    $(Self::$variant => retryable!($retry),)*
                }
            }

            /// The exit code of the command line: 1 where the user can put it right, 2 where the machine, the server or
            /// fhectl stands in the way.
            pub const fn exit_code(self) -> u8 {
                match self {
                    $(Self::$variant => $exit,)*
                }
            }

            /// What it means and what to do, as Markdown in one sentence. A column of its own: a client that a browser loads does
            /// without.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }
    };
}

macro_rules! status {
    (-) => {
        None
    };
    ($status:literal) => {
        Some($status)
    };
}

macro_rules! retryable {
    (-) => {
        false
    };
    (retry) => {
        true
    };
}

codes! {
    // Requests that a server refuses, whatever they are about.
    BadRequest "bad_request" 400 - 1 "The server cannot read the request; use a client of the same release."
    BodyBroken "body_broken" 400 retry 2 "The connection failed while the request's body arrived; send it again."
    BodyTooLarge "body_too_large" 413 - 1 "The request's body is longer than the server reads; send smaller pieces or batches."
    HeaderInvalid "header_invalid" 400 - 1 "A header of the request has no valid value; correct it or leave it out."
    JsonInvalid "json_invalid" 400 - 1 "The body of an endpoint-form request is not the JSON expected; compare it with `/v1/openapi.json`."
    MethodNotAllowed "method_not_allowed" 405 - 1 "The path does not take this method; the `Allow` header names those that it takes."
    NotAcceptable "not_acceptable" 406 - 1 "The path has nothing of the kind that the request accepts; `GET /` is a page of `text/html`."
    NotFound "not_found" 404 - 1 "There is nothing at this path, of a server or on disk; check the path."
    OriginRefused "origin_refused" 403 - 1 "Pages of this web origin may not use the server; its operator allows origins with `--cors-origin`."
    Timeout "timeout" 408 retry 2 "The request's body did not arrive in time; send it again over a faster connection."
    Unauthorized "unauthorized" 401 - 1 "The token is missing or is not one of this server's; give one with `--token` or `FHECTL_TOKEN`."

    // A server that is busy, out of reach or at a limit.
    Busy "busy" 429 retry 2 "The server has as much to do as it takes; try again after the time in `Retry-After`."
    Deadline "deadline" 503 retry 2 "The answer would come after the request's deadline; allow more time, send fewer rows or try later."
    DeviceFailed "device_failed" 503 retry 2 "The computing device failed; try again, and the server computes on its processor until the device answers."
    DeviceUnavailable "device_unavailable" - - 2 "The computing device that was asked for cannot be used; see the message, or let fhectl choose with `--device auto`."
    Draining "draining" 503 retry 2 "The server is shutting down; try again or use another one."
    NoServer "no_server" - retry 2 "No server answers at this URL; check that it runs and that the URL is right."
    QuotaExceeded "quota_exceeded" 403 - 2 "The token's share of the key store is full; delete keys that are no longer used or ask the operator."
    RateLimited "rate_limited" 429 retry 2 "This client sends more requests than it may; wait as long as `Retry-After` says and send larger batches."
    RowBudgetSpent "row_budget_spent" 403 - 2 "The token's rows for this model are used up; the operator raises or resets the budget."
    StoreFailed "store_failed" 503 retry 2 "The key store refused to read or write; the operator finds the cause in the server's log."
    StoreUnavailable "store_unavailable" 503 retry 2 "The key store cannot be reached; try again after a short wait."

    // Failures of a server, or of what claims to be one.
    BudgetDamaged "budget_damaged" 500 - 2 "The record of a token's rows is damaged; the operator resets it with `fhectl budgets reset`."
    Internal "internal" 500 - 2 "A fault of fhectl itself; report it with the message and what was done before."
    ReplyInvalid "reply_invalid" - - 2 "The reply is not one of an fhectl server; check the URL and that both sides run the same release."
    ServerError "server_error" - - 2 "The server failed, or what answers is no fhectl server; see the message for what it said."
    ServerRefused "server_refused" - - 1 "The server refused with a code that this release does not know; see the message for what it said."

    // Models and keys on a server.
    BatchTooLarge "batch_too_large" 413 - 1 "A batch has more rows than the model takes; send several smaller ones."
    CiphertextInvalid "ciphertext_invalid" 422 - 1 "A ciphertext is truncated, altered or of another model; encrypt and send it again."
    FormatVersion "format_version" 422 - 1 "A message is in a format of another release; use the same release on both sides, with new keys."
    KeyComplete "key_complete" 409 - 1 "The evaluation key is complete and takes no more pieces; use it as it is."
    KeyDamaged "key_damaged" 500 - 2 "The stored evaluation key is damaged; delete it and send it again."
    KeyIdInvalid "key_id_invalid" 400 - 1 "A key id is 64 lower-case hexadecimal digits, the SHA-256 of the evaluation key as it is sent."
    KeyIncomplete "key_incomplete" 409 - 1 "Parts of the evaluation key are missing; send them, then complete the key."
    KeyInvalid "key_invalid" 422 - 1 "These bytes are no evaluation key of this model; make the keys again with its `client.zip`."
    KeyMismatch "key_mismatch" 422 - 1 "The parts do not have the digest that the key's id promises; send the key again."
    KeyMissing "key_missing" 500 - 2 "A circuit was run without the evaluation key that it needs; report it as a fault."
    KeyNeedless "key_needless" 400 - 1 "The model runs without an evaluation key; send none."
    KeyTooLarge "key_too_large" 413 - 1 "The evaluation key is longer than this model's; make the keys again with its `client.zip`."
    KeyUnknown "key_unknown" 404 - 1 "There is no key of this name; send the evaluation key, or list keys with `fhectl keyring list`."
    KeyUnnamed "key_unnamed" 400 - 1 "The request names no evaluation key; send its id in the `key-id` header."
    ModelUnknown "model_unknown" 404 - 1 "There is no model of this name here; the message or `GET /v1/models` lists those that are."
    ModelUnnamed "model_unnamed" 400 - 1 "Several models are served and the request names none; name one in the `X-Model` header."
    PartConflict "part_conflict" 409 - 1 "A part of the key is stored with other bytes; delete the key and send it from the first part."
    PartInvalid "part_invalid" 400 - 1 "A part of a key is empty or has an index out of range; split the key as the server's document says."
    UidUnknown "uid_unknown" 404 - 1 "There is no evaluation key of this uid; begin with `save_key` and use the uid that it returns."
    WrongModel "wrong_model" 422 - 1 "Client and server have different models; fetch `client.zip` from the server that is used."

    // What a client makes of answers.
    AnswerInvalid "answer_invalid" - - 2 "An answer does not decrypt to anything that the circuit gives; do not use the run's rows."
    AnswersCount "answers_count" - - 2 "The server answered another batch than the one that was sent; do not use the run's rows."
    AnswersDamaged "answers_damaged" - - 2 "A batch of answers was altered after the server made it; look for what stands between."
    AnswersKey "answers_key" - - 2 "The server computed with another client's key; do not use the run's rows and tell its operator."
    AnswersUntrusted "answers_untrusted" - - 2 "Some answers of this run cannot be trusted; use no row of it before the cause is found."
    TagDiffers "tag_differs" - - 2 "A test value came back changed: the server computed with other keys than this client's."

    // A client's keys on disk.
    KeyAmbiguous "key_ambiguous" - - 1 "The digits given fit several keys; give more of them."
    KeyFileInvalid "key_file_invalid" - - 1 "A key file is damaged; delete it with `fhectl keyring delete`, and a new key is made at the next use."
    KeyFilePermissions "key_file_permissions" - - 1 "A key file or its folder can be reached by others; set its owner and permissions as the hint says."
    KeyFileVersion "key_file_version" - - 1 "Another release wrote the key file; delete it, and a new key is made at the next use."
    KeyPassphrase "key_passphrase" - - 2 "The key could not be sealed or opened for lack of memory or another fault of the machine."
    KeyPassphraseInvalid "key_passphrase_invalid" - - 1 "The passphrase is empty or its file cannot be read; give a file that holds the passphrase alone."
    KeyPassphraseMissing "key_passphrase_missing" - - 1 "The key is under a passphrase and none was given; see `--key-passphrase-file`."
    KeyPassphraseWrong "key_passphrase_wrong" - - 1 "The passphrase is not the one that the key was sealed with; give that one or delete the key."
    KeyUsedUp "key_used_up" - - 1 "As much was told of a network's answers under this key as may be, or too many answers under it were wrong; make a new key and send the server its evaluation key."
    KeysUnwritable "keys_unwritable" - - 1 "The folder of keys cannot be written; name another with `--keys`."

    // The command line.
    Arguments "arguments" - - 1 "A command, or a function of the Python package, was given options that it does not take; the message names the first."
    BudgetsUnchosen "budgets_unchosen" - - 1 "The command names no budget; give `--model`, `--owner` or `--all`."
    CaInvalid "ca_invalid" - - 1 "The file of certificate authorities cannot be read or holds no certificate; give a PEM file."
    CheckFailed "check_failed" - - 1 "`serve --check` found something that a server could not start with; its lines say what to change."
    ConfirmationMissing "confirmation_missing" - - 1 "Deleting asks first and there is no terminal; say `--yes`."
    KeysUnchosen "keys_unchosen" - - 1 "The command names no key; give ids, `--model`, `--owner` or `--older-than`."
    NothingToSimulate "nothing_to_simulate" - - 1 "The circuit is exact, so there is nothing to simulate; leave `--simulate` out."
    OutputClosed "output_closed" - - 1 "The reader of the output went away; the command ends quietly."
    OutputUnwritable "output_unwritable" - - 1 "An output file cannot be written; check its folder and permissions."
    OwnerMissing "owner_missing" - - 1 "Simulating needs the owner's model with its `server.zip`; name the model's folder."
    SamplesMissing "samples_missing" - - 1 "`--simulate` alone encrypts nothing that could be recorded; say how many rows with `--samples`."
    Server "server" - - 2 "The server that `play` starts on this machine ended before it began; the message says why."
    ServerHalfMissing "server_half_missing" - - 1 "The folder has no `server.zip`; name the server that runs the model with `--url`."
    Signals "signals" - - 2 "The system refused a handler of Ctrl-C."
    Terminal "terminal" - - 2 "The terminal could not be read or written."
    UrlInvalid "url_invalid" - - 1 "The text is not a server's URL; give `http://host:port` or `https://host`."

    // Starting a server.
    FileUnreadable "file_unreadable" - - 1 "A file that the server watches cannot be read; check its path and permissions."
    Listen "listen" - - 1 "The server cannot listen on this address; give one of this machine and a port that you may use."
    ModelTwice "model_twice" - - 1 "Two models have the same name; serve one or create it again with another `--name`."
    ModelsMissing "models_missing" - - 1 "The folder of models is missing or empty; make a model with `fhectl create` or see `--models`."
    ModelsNone "models_none" - - 1 "There is no model to serve; make one with `fhectl create` and name its folder."
    PortInUse "port_in_use" - - 1 "Another process listens on this port; choose another with `--listen`."
    RowBudgetTokens "row_budget_tokens" - - 1 "`--row-budget` counts rows of a token and the server has none; add `--token-file` or leave it out."
    Runtime "runtime" - - 2 "The system refused the threads that the server needs to run."
    StoreMissing "store_missing" - - 1 "There is no store at this place; give the `--store` that the server was started with."
    StoreUnsupported "store_unsupported" - - 1 "`--store` names a kind of place that is not supported; give a folder, `memory:`, `file://` or `s3://`."
    StoreUnwritable "store_unwritable" - - 1 "Keys cannot be written to `--store`; check the place and its permissions."
    Threads "threads" - - 2 "The system refused the computing threads; give fewer with `--threads`."
    TlsInvalid "tls_invalid" - - 1 "The certificate or its key cannot be used; give PEM files that belong together."
    TokenFile "token_file" - - 1 "The file of tokens is empty or has a line that is no token; see `fhectl token --help`."
    TokenInvalid "token_invalid" - - 1 "The text is too short or not fit for a token; let `fhectl token new` make one."

    // Bundles, models and circuits.
    BundleFormat "bundle_format" - - 1 "The bundle is in a format of another release; use that release or create the model again."
    BundleInvalid "bundle_invalid" - - 1 "The bundle is damaged or not made by fhectl; copy it again or create the model again."
    BundleMixed "bundle_mixed" - - 1 "`client.zip` and `server.zip` are of different models; copy both from one `fhectl create`."
    CircuitUnfit "circuit_unfit" - - 1 "The circuit cannot run this model; choose `--circuit auto` or make a smaller model."
    Exists "exists" - - 1 "The folder is already there; choose another `--name` or `--out`, or overwrite it with `--force`."
    FailureRate "failure_rate" - - 1 "The model's answers may be wrong more often than is accepted; create it again with a smaller `--p-fail`."
    Io "io" - - 1 "A file cannot be read or written; check its path and permissions."
    ModelInvalid "model_invalid" - - 1 "The model in the bundle contradicts itself; create it again."
    ModelTooLarge "model_too_large" - - 1 "The bundle would be larger than any that is read; make the model smaller."
    NameInvalid "name_invalid" - - 1 "The text is not a model's name; use up to 100 letters, digits, `-`, `_` and `.`."
    NoParameters "no_parameters" - - 1 "No secure parameters are precise enough for this model; allow more noise or make it smaller."
    ParametersInvalid "parameters_invalid" - - 1 "The parameters in the bundle are not secure or not possible; create the model again."
    RowShape "row_shape" - - 1 "The row has another number of values than the model takes; `fhectl inspect` lists its features."
    RowValue "row_value" - - 1 "A value of the row is not a finite number; fill in missing values first."

    // Tables and images.
    ClassEmpty "class_empty" - - 1 "A class has no row; give rows of every class."
    ConstantFeatures "constant_features" - - 1 "No column differs between rows; give at least one that does."
    CsvCell "csv_cell" - - 1 "A cell is missing or not a finite number; correct it or drop the row."
    CsvColumns "csv_columns" - - 1 "The table does not have the model's columns; `fhectl inspect` lists them."
    CsvEmpty "csv_empty" - - 1 "The table has no rows; give a header and at least one row."
    CsvEncoding "csv_encoding" - - 1 "The table is not text of its encoding; say it with `--encoding`, or save the file as UTF-8."
    CsvFormat "csv_format" - - 1 "The table is not CSV; the message says in which line."
    CsvHeader "csv_header" - - 1 "The header has a column without a name, a name twice or one column only; name every column once."
    CsvLabel "csv_label" - - 1 "A label is no class of the model; correct it or drop the row."
    CsvTarget "csv_target" - - 1 "The target column is missing or does not fit the task; see `--target` and `--task`."
    CsvRagged "csv_ragged" - - 1 "A row has another number of cells than the header; quote cells that contain commas."
    DataFormat "data_format" - - 1 "The data file is no table, or a damaged one; save it as CSV or Parquet."
    DataMissing "data_missing" - - 1 "The data set is not there, or none was named; give one with `--data` or `--datasets`."
    DataRead "data_read" - - 1 "The data file cannot be read; check the file and its permissions."
    DataTooLarge "data_too_large" - - 1 "The data file, a part of it or one row is too large; give fewer rows."
    DataUnknown "data_unknown" - - 1 "`--data` names neither a built-in data set nor a CSV or IDX file."
    GzipCorrupt "gzip_corrupt" - - 1 "The file is not a whole gzip file; download or pack it again."
    IdxFormat "idx_format" - - 1 "The IDX file is damaged or of another kind; fetch it again."
    IdxLabel "idx_label" - - 1 "A label of the IDX file is no class of the model; give labels of its classes."
    ImageMissing "image_missing" - - 1 "The rows are not known to be images; give their size with `--image`."
    ImageSize "image_size" - - 1 "The images have another size than expected; give `--image` or images of the model's size."
    OneClass "one_class" - - 1 "All rows are of one class; give rows of at least two, or another `--target`."
    OneValue "one_value" - - 1 "All rows have the same number to predict; give more rows or another `--target`."
    TestSize "test_size" - - 1 "`--test-size` leaves no rows to train or to test on; 0.15 suits most tables."

    // Training.
    ActivationBits "activation_bits" - - 1 "`--activation-bits` is out of range; the hint names a value that works."
    BitsRange "bits_range" - - 1 "`--bits` is out of range; the message says what is possible."
    BoostDiverged "boost_diverged" - - 1 "Boosting did not converge; lower `--learning-rate` or raise `--l2` or `--min-leaf`."
    BoostParams "boost_params" - - 1 "A flag of boosting is out of range; the hint names a value that works."
    ClassWeights "class_weights" - - 1 "`--class-weight` does not suit the target's classes; the message says why."
    FeatureRange "feature_range" - - 1 "A feature spans more than numbers can tell apart; scale it to an ordinary range."
    ForestParams "forest_params" - - 1 "A flag of the forest is out of range; the hint names a value that works."
    GlmDiverged "glm_diverged" - - 1 "The generalized linear model did not converge; raise `--alpha` or leave out features that repeat others."
    GlmParams "glm_params" - - 1 "A flag of the generalized linear model is out of range; the hint says what is possible."
    GlmTarget "glm_target" - - 1 "The family does not suit the numbers to predict; the hint names one that does."
    GlmTrivial "glm_trivial" - - 1 "The model ignores its features; lower `--alpha` or check the target."
    KernelSize "kernel_size" - - 1 "A kernel, its padding or its pool does not fit the image; see `--conv`."
    KnnParams "knn_params" - - 1 "A flag of nearest neighbors is out of range; the message says what is possible."
    LinregDiverged "linreg_diverged" - - 1 "Linear regression did not converge; raise `--alpha` or leave out features that repeat others."
    LinregParams "linreg_params" - - 1 "A flag of linear regression is out of range; the hint says what is possible."
    LinregSingular "linreg_singular" - - 1 "Features all but cancel each other; give a small `--alpha` or leave some out."
    LinregTrivial "linreg_trivial" - - 1 "The model ignores its features; lower `--alpha` or check the target."
    LogregDiverged "logreg_diverged" - - 1 "Logistic regression did not converge; raise `--alpha` or the number of iterations."
    LogregParams "logreg_params" - - 1 "A flag of logistic regression is out of range; the hint says what is possible."
    LogregTrivial "logreg_trivial" - - 1 "The model ignores its features; lower `--alpha` or check the target."
    ModelValues "model_values" - - 1 "The values of leaves do not fit the bits asked for; choose another `--value-bits`."
    NetworkLayers "network_layers" - - 1 "The layers are too many, too large or empty; see `--hidden` and `--conv`."
    NoiseRange "noise_range" - - 1 "`--noise` is out of range; the hint names a value that works."
    SvmDiverged "svm_diverged" - - 1 "The support vector machine did not converge; raise `--alpha` or `--max-iterations`."
    SvmParams "svm_params" - - 1 "A flag of the support vector machine is out of range; the hint says what is possible."
    SvmTrivial "svm_trivial" - - 1 "The model ignores its features; lower `--alpha` or check the target."
    TargetRange "target_range" - - 1 "The numbers to predict are too large to average; scale the target to an ordinary range."
    TaskUnfit "task_unfit" - - 2 "A trainer was called for a task that is not its own; report it as a fault."
    Training "training" - - 2 "Training failed inside; report it as a fault."
    TrainingDiverged "training_diverged" - - 1 "Training did not converge; lower `--learning-rate`."
    TrainingParams "training_params" - - 1 "A flag of training is out of range; see `fhectl create --help`."
    TreeFit "tree_fit" - - 2 "The tree's grower failed inside; report it as a fault."
    TreeParams "tree_params" - - 1 "A flag of the tree is out of range; the message says what is possible."
    TreeTrivial "tree_trivial" - - 1 "No split says anything about the target; lower `--min-leaf`, raise `--bits` or check the features."
    ValidationRows "validation_rows" - - 1 "There are too few rows to keep some back; give more or a smaller `--test-size`."
    WeightBits "weight_bits" - - 1 "`--weight-bits` is out of range; the message says what is possible."
    WeightsUnwritable "weights_unwritable" - - 1 "The weights cannot be written; check the folder and its permissions."

    // Import.
    CatboostUnsupported "catboost_unsupported" - - 1 "The model uses a part of CatBoost that is not read; the message says which."
    ImportClasses "import_classes" - - 1 "`--classes` does not name the model's classes one by one; give them in the model's order."
    ImportExact "import_exact" - - 1 "`--exact-thresholds` is for trees; leave it out for other models."
    ImportFeatures "import_features" - - 1 "The rows have another number of columns than the model takes; give rows of its features."
    ImportFormat "import_format" - - 1 "The file is of a kind that is not read; the hint has the line that exports one that is."
    ImportInvalid "import_invalid" - - 1 "The file is damaged; save or export the model again."
    ImportLarge "import_large" - - 1 "The model is too large to be computed on encrypted data; make a smaller one."
    ImportMissing "import_missing" - - 1 "`--missing-value` does not go with the model, or is no number; the message says which."
    ImportNetwork "import_network" - - 2 "A network was quantized as if it were none; report it as a fault."
    ImportReveals "import_reveals" - - 1 "The model gives away the rows it was trained on; accept it with `--reveal training-rows`."
    ImportRead "import_read" - - 1 "The model's file cannot be read; name one, such as `model.onnx`."
    ImportTrivial "import_trivial" - - 1 "The model ignores its features on these rows; give rows of the kind that it was trained on."
    LightgbmUnsupported "lightgbm_unsupported" - - 1 "The model uses a part of LightGBM that is not read; the message says which."
    OnnxConstant "onnx_constant" - - 1 "No activation changes over the calibration rows; scale them as the network expects."
    OnnxInputs "onnx_inputs" - - 1 "The calibration rows have another number of columns than the network's inputs; give `--data` that fits."
    OnnxInvalid "onnx_invalid" - - 1 "The file is damaged or not written by an ONNX exporter; export the model again."
    OnnxOutput "onnx_output" - - 1 "The network does not have its scores as its only output; export it so."
    OnnxUnsupported "onnx_unsupported" - - 1 "The model uses a part of ONNX that is not run on encrypted data; the hint says what is."
    PercentileRange "percentile_range" - - 1 "`--percentile` is out of range; try 99.9."
    Quantizer "quantizer" - - 2 "A network was given a quantizer that is no grid; report it as a fault."
    XgboostUnsupported "xgboost_unsupported" - - 1 "The model uses a part of XGBoost that is not read; the message says which."
}

impl ErrorCode {
    /// The code that a server sent; none where this release does not know it or no server has a reason to send it.
    ///
    /// A client acts on codes, so a server cannot pass a code of the client's own.
    ///
    /// ```
    /// use fhectl_core::error::ErrorCode;
    ///
    /// assert_eq!(ErrorCode::from_wire("key_unknown"), Some(ErrorCode::KeyUnknown));
    /// assert_eq!(ErrorCode::from_wire("key_passphrase_wrong"), None);
    /// assert_eq!(ErrorCode::from_wire("of_a_later_release"), None);
    /// ```
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text && code.status().is_some())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn texts_are_unique_and_in_snake_case() {
        let texts: HashSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
            // `CsvCell` is `csv_cell`: who searches for one finds the other.
            assert_eq!(format!("{code:?}").to_lowercase(), code.as_str().replace('_', ""));
            assert!(code.meaning().ends_with('.') && !code.meaning().contains('|'), "{code}");
        }
    }

    #[test]
    fn columns_agree_with_each_other() {
        for code in ErrorCode::ALL {
            assert!(matches!(code.exit_code(), 1 | 2), "{code}");
            assert!(code.status().is_none_or(|status| (400..600).contains(&status)), "{code}");
            // Clients send again what was answered 429 or 503, and a server's failure is never the user's mistake.
            let (status, again) = (code.status().unwrap_or(0), code.is_retryable());
            assert!(again || !matches!(status, 429 | 503), "{code}");
            assert!(code.exit_code() == 2 || !(again || status >= 500), "{code}");
        }
    }
}
