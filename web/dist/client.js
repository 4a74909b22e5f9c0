var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// src/error.ts
var FhectlError = class extends Error {
  name = "FhectlError";
  /** `no_server`, `unauthorized`, `row_value`, ... */
  code;
  /** What to do. */
  hint;
  constructor(code, message, hint = null) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
};
function revived(error) {
  if (error.code !== null) return new FhectlError(error.code, error.message, error.hint);
  const other = new Error(error.message);
  other.name = error.name;
  return other;
}

// src/glue/fhectl_wasm.js
var fhectl_wasm_exports = {};
__export(fhectl_wasm_exports, {
  Answer: () => Answer,
  Decrypted: () => Decrypted,
  Encrypted: () => Encrypted,
  EvaluationKey: () => EvaluationKey,
  KeyFile: () => KeyFile,
  Keys: () => Keys,
  Model: () => Model,
  Rows: () => Rows,
  SecretKey: () => SecretKey,
  Talk: () => Talk,
  default: () => __wbg_init,
  initSync: () => initSync,
  listModels: () => listModels,
  renewal: () => renewal,
  takeRows: () => takeRows
});
var Answer = class _Answer {
  static __wrap(ptr) {
    const obj = Object.create(_Answer.prototype);
    obj.__wbg_ptr = ptr;
    AnswerFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    AnswerFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_answer_free(ptr, 0);
  }
  /**
   * @returns {Uint8Array}
   */
  get bytes() {
    const ret = wasm.answer_bytes(this.__wbg_ptr);
    return ret;
  }
  /**
   * Seconds of computing; `undefined` where the server does not tell.
   * @returns {number | undefined}
   */
  get compute() {
    const ret = wasm.answer_compute(this.__wbg_ptr);
    return ret[0] === 0 ? void 0 : ret[1];
  }
  /**
   * Seconds that the request waited at the server; `undefined` where it does not tell.
   * @returns {number | undefined}
   */
  get queue() {
    const ret = wasm.answer_queue(this.__wbg_ptr);
    return ret[0] === 0 ? void 0 : ret[1];
  }
};
if (Symbol.dispose) Answer.prototype[Symbol.dispose] = Answer.prototype.free;
var Decrypted = class _Decrypted {
  static __wrap(ptr) {
    const obj = Object.create(_Decrypted.prototype);
    obj.__wbg_ptr = ptr;
    DecryptedFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    DecryptedFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_decrypted_free(ptr, 0);
  }
  /**
   * Why rows have none, as an `Error`; `undefined` where all have one.
   * @returns {object | undefined}
   */
  get distrust() {
    const ret = wasm.decrypted_distrust(this.__wbg_ptr);
    return ret;
  }
  /**
   * One prediction a row, `null` for those that cannot be trusted: JSON of `Prediction` in `api.ts`, but for its exchange.
   * @returns {string}
   */
  get predictions() {
    let deferred1_0;
    let deferred1_1;
    try {
      const ret = wasm.decrypted_predictions(this.__wbg_ptr);
      deferred1_0 = ret[0];
      deferred1_1 = ret[1];
      return getStringFromWasm0(ret[0], ret[1]);
    } finally {
      wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
    }
  }
};
if (Symbol.dispose) Decrypted.prototype[Symbol.dispose] = Decrypted.prototype.free;
var Encrypted = class _Encrypted {
  static __wrap(ptr) {
    const obj = Object.create(_Encrypted.prototype);
    obj.__wbg_ptr = ptr;
    EncryptedFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    EncryptedFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_encrypted_free(ptr, 0);
  }
  /**
   * A copy of the bytes to send.
   * @returns {Uint8Array}
   */
  get bytes() {
    const ret = wasm.encrypted_bytes(this.__wbg_ptr);
    return ret;
  }
  /**
   * How many they are.
   * @returns {number}
   */
  get length() {
    const ret = wasm.encrypted_length(this.__wbg_ptr);
    return ret >>> 0;
  }
  /**
   * @returns {number}
   */
  get rows() {
    const ret = wasm.encrypted_rows(this.__wbg_ptr);
    return ret >>> 0;
  }
};
if (Symbol.dispose) Encrypted.prototype[Symbol.dispose] = Encrypted.prototype.free;
var EvaluationKey = class _EvaluationKey {
  static __wrap(ptr) {
    const obj = Object.create(_EvaluationKey.prototype);
    obj.__wbg_ptr = ptr;
    EvaluationKeyFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    EvaluationKeyFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_evaluationkey_free(ptr, 0);
  }
  /**
   * Where its bytes are in the module's memory, to digest them in place. Nothing else of the module may be called meanwhile.
   * @returns {number}
   */
  get address() {
    const ret = wasm.evaluationkey_address(this.__wbg_ptr);
    return ret >>> 0;
  }
  /**
   * How many they are.
   * @returns {number}
   */
  get length() {
    const ret = wasm.evaluationkey_length(this.__wbg_ptr);
    return ret >>> 0;
  }
  /**
   * Of stored bytes.
   * @param {Uint8Array | number[]} bytes
   */
  constructor(bytes) {
    const ptr0 = passArray8ToWasm0(bytes, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.evaluationkey_of(ptr0, len0);
    this.__wbg_ptr = ret;
    EvaluationKeyFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
};
if (Symbol.dispose) EvaluationKey.prototype[Symbol.dispose] = EvaluationKey.prototype.free;
var KeyFile = class _KeyFile {
  static __wrap(ptr) {
    const obj = Object.create(_KeyFile.prototype);
    obj.__wbg_ptr = ptr;
    KeyFileFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    KeyFileFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_keyfile_free(ptr, 0);
  }
  /**
   * A copy of its bytes: the secret, which the caller wipes.
   * @returns {Uint8Array}
   */
  get bytes() {
    const ret = wasm.keyfile_bytes(this.__wbg_ptr);
    return ret;
  }
  /**
   * Names the key among those that its model had: 16 hexadecimal digits.
   * @returns {string}
   */
  get serial() {
    let deferred1_0;
    let deferred1_1;
    try {
      const ret = wasm.keyfile_serial(this.__wbg_ptr);
      deferred1_0 = ret[0];
      deferred1_1 = ret[1];
      return getStringFromWasm0(ret[0], ret[1]);
    } finally {
      wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
    }
  }
};
if (Symbol.dispose) KeyFile.prototype[Symbol.dispose] = KeyFile.prototype.free;
var Keys = class _Keys {
  static __wrap(ptr) {
    const obj = Object.create(_Keys.prototype);
    obj.__wbg_ptr = ptr;
    KeysFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    KeysFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_keys_free(ptr, 0);
  }
  /**
   * The same once more, after the key was brought again: that it is unknown is an error now.
   * @param {string} server
   * @param {Encrypted} encrypted
   * @returns {Talk}
   */
  askAgain(server, encrypted) {
    _assertClass(encrypted, Encrypted);
    const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_askAgain(this.__wbg_ptr, ptr0, len0, encrypted.__wbg_ptr);
    return Talk.__wrap(ret);
  }
  /**
   * Has a server compute a request.
   * @param {string} server
   * @param {Encrypted} encrypted
   * @returns {Talk}
   */
  ask(server, encrypted) {
    _assertClass(encrypted, Encrypted);
    const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_ask(this.__wbg_ptr, ptr0, len0, encrypted.__wbg_ptr);
    return Talk.__wrap(ret);
  }
  /**
   * As [`Keys::bring`], to a server that has forgotten them: the next batch has a tag.
   * @param {string} server
   * @returns {Talk}
   */
  bringAgain(server) {
    const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_bringAgain(this.__wbg_ptr, ptr0, len0);
    return Talk.__wrap(ret);
  }
  /**
   * Checks that a server runs the model and brings it the evaluation key.
   * @param {string} server
   * @returns {Talk}
   */
  bring(server) {
    const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_bring(this.__wbg_ptr, ptr0, len0);
    return Talk.__wrap(ret);
  }
  /**
   * Decrypts the answer to a request, once.
   * @param {Encrypted} encrypted
   * @param {Uint8Array | number[]} answer
   * @returns {Decrypted}
   */
  decrypt(encrypted, answer) {
    _assertClass(encrypted, Encrypted);
    const ptr0 = passArray8ToWasm0(answer, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_decrypt(this.__wbg_ptr, encrypted.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return Decrypted.__wrap(ret[0]);
  }
  /**
   * Encrypts `count` of the rows from `first` on into one request.
   * @param {Rows} rows
   * @param {number} first
   * @param {number} count
   * @returns {Encrypted}
   */
  encrypt(rows, first, count) {
    _assertClass(rows, Rows);
    const ret = wasm.keys_encrypt(this.__wbg_ptr, rows.__wbg_ptr, first, count);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return Encrypted.__wrap(ret[0]);
  }
  /**
   * A copy of the evaluation key; of no bytes where the circuit needs none.
   * @returns {Uint8Array}
   */
  get evaluation() {
    const ret = wasm.keys_evaluation(this.__wbg_ptr);
    return ret;
  }
  /**
   * Has a server forget the evaluation key; `undefined` where there is none.
   * @param {string} server
   * @returns {Talk | undefined}
   */
  forget(server) {
    const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_forget(this.__wbg_ptr, ptr0, len0);
    return ret === 0 ? void 0 : Talk.__wrap(ret);
  }
  /**
   * The evaluation key's id at a server.
   * @returns {string}
   */
  get id() {
    let deferred1_0;
    let deferred1_1;
    try {
      const ret = wasm.keys_id(this.__wbg_ptr);
      deferred1_0 = ret[0];
      deferred1_1 = ret[1];
      return getStringFromWasm0(ret[0], ret[1]);
    } finally {
      wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
    }
  }
};
if (Symbol.dispose) Keys.prototype[Symbol.dispose] = Keys.prototype.free;
var Model = class _Model {
  static __wrap(ptr) {
    const obj = Object.create(_Model.prototype);
    obj.__wbg_ptr = ptr;
    ModelFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    ModelFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_model_free(ptr, 0);
  }
  /**
   * What an answer is under a key drawn just now: JSON of `WrongKeyView` in `api.ts`.
   * @param {Uint8Array | number[]} answer
   * @returns {string}
   */
  decryptWithWrongKey(answer) {
    let deferred3_0;
    let deferred3_1;
    try {
      const ptr0 = passArray8ToWasm0(answer, wasm.__wbindgen_malloc);
      const len0 = WASM_VECTOR_LEN;
      const ret = wasm.model_decryptWithWrongKey(this.__wbg_ptr, ptr0, len0);
      var ptr2 = ret[0];
      var len2 = ret[1];
      if (ret[3]) {
        ptr2 = 0;
        len2 = 0;
        throw takeFromExternrefTable0(ret[2]);
      }
      deferred3_0 = ptr2;
      deferred3_1 = len2;
      return getStringFromWasm0(ptr2, len2);
    } finally {
      wasm.__wbindgen_free(deferred3_0, deferred3_1, 1);
    }
  }
  /**
   * The bits of a row that are told at most; `undefined` where there is no limit.
   * @returns {number | undefined}
   */
  disclosedBits() {
    const ret = wasm.model_disclosedBits(this.__wbg_ptr);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0] === Number.MAX_SAFE_INTEGER ? void 0 : ret[0];
  }
  /**
   * Fetches it from a server, whose URL has no slash at its end.
   * @param {string} server
   * @param {string} name
   * @param {boolean} scores
   * @param {number | null} [accept_p_fail]
   * @returns {Talk}
   */
  static fetch(server, name, scores, accept_p_fail) {
    const val3 = +scores;
    const val4 = +(isLikeNone(accept_p_fail) ? 0 : accept_p_fail);
    let ptr0, len0, ptr1, len1;
    try {
      ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
      len0 = WASM_VECTOR_LEN;
      ptr1 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
      len1 = WASM_VECTOR_LEN;
    } catch (e) {
      if (ptr1) {
        wasm.__wbindgen_free(ptr1, len1 * 1, 1);
      }
      if (ptr0) {
        wasm.__wbindgen_free(ptr0, len0 * 1, 1);
      }
      throw e;
    }
    const ret = wasm.model_fetch(ptr0, len0, ptr1, len1, val3, !isLikeNone(accept_p_fail), val4);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return Talk.__wrap(ret[0]);
  }
  /**
   * Makes an evaluation key, another one each time.
   * @param {SecretKey} secret
   * @returns {EvaluationKey}
   */
  generateEvaluation(secret) {
    _assertClass(secret, SecretKey);
    const ret = wasm.model_generateEvaluation(this.__wbg_ptr, secret.__wbg_ptr);
    return EvaluationKey.__wrap(ret);
  }
  /**
   * Draws a secret key.
   * @returns {SecretKey}
   */
  generateSecret() {
    const ret = wasm.model_generateSecret(this.__wbg_ptr);
    return SecretKey.__wrap(ret);
  }
  /**
   * JSON of `ModelInfo` in `api.ts`.
   * @returns {string}
   */
  info() {
    let deferred2_0;
    let deferred2_1;
    try {
      const ret = wasm.model_info(this.__wbg_ptr);
      var ptr1 = ret[0];
      var len1 = ret[1];
      if (ret[3]) {
        ptr1 = 0;
        len1 = 0;
        throw takeFromExternrefTable0(ret[2]);
      }
      deferred2_0 = ptr1;
      deferred2_1 = len1;
      return getStringFromWasm0(ptr1, len1);
    } finally {
      wasm.__wbindgen_free(deferred2_0, deferred2_1, 1);
    }
  }
  /**
   * Joins a secret key and its evaluation key, of which `sha256` is the digest where the caller knows it.
   * @param {SecretKey} secret
   * @param {EvaluationKey} evaluation
   * @param {Uint8Array | number[] | null} [sha256]
   * @returns {Keys}
   */
  keys(secret, evaluation, sha256) {
    let ptr0, ptr1, ptr2, len2;
    try {
      _assertClass(secret, SecretKey);
      ptr0 = secret.__destroy_into_raw();
      _assertClass(evaluation, EvaluationKey);
      ptr1 = evaluation.__destroy_into_raw();
      ptr2 = isLikeNone(sha256) ? 0 : passArray8ToWasm0(sha256, wasm.__wbindgen_malloc);
      len2 = WASM_VECTOR_LEN;
    } catch (e) {
      if (ptr2) {
        wasm.__wbindgen_free(ptr2, len2 * 1, 1);
      }
      if (ptr1) wasm.__wbg_evaluationkey_free(ptr1, 1);
      if (ptr0) wasm.__wbg_secretkey_free(ptr0, 1);
      throw e;
    }
    const ret = wasm.model_keys(this.__wbg_ptr, ptr0, ptr1, ptr2, len2);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return Keys.__wrap(ret[0]);
  }
  /**
   * Reads what [`Model::write_key_file`] wrote for this model, or the command line without a passphrase.
   * @param {Uint8Array | number[]} bytes
   * @returns {SecretKey}
   */
  readKeyFile(bytes) {
    const ptr0 = passArray8ToWasm0(bytes, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.model_readKeyFile(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return SecretKey.__wrap(ret[0]);
  }
  /**
   * Reads the bytes of a `client.zip` from anywhere. `scores` has a network's scores shown, `accept_p_fail` is the failure
   * rate that is accepted.
   * @param {Uint8Array | number[]} client_zip
   * @param {boolean} scores
   * @param {number | null} [accept_p_fail]
   */
  constructor(client_zip, scores, accept_p_fail) {
    const val2 = +scores;
    const val3 = +(isLikeNone(accept_p_fail) ? 0 : accept_p_fail);
    const ptr0 = passArray8ToWasm0(client_zip, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.model_read(ptr0, len0, val2, !isLikeNone(accept_p_fail), val3);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    this.__wbg_ptr = ret[0];
    ModelFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
  /**
   * The secret key's file; `made` is now, in seconds since 1970.
   * @param {SecretKey} secret
   * @param {number} made
   * @returns {KeyFile}
   */
  writeKeyFile(secret, made) {
    _assertClass(secret, SecretKey);
    const ret = wasm.model_writeKeyFile(this.__wbg_ptr, secret.__wbg_ptr, made);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return KeyFile.__wrap(ret[0]);
  }
};
if (Symbol.dispose) Model.prototype[Symbol.dispose] = Model.prototype.free;
var Rows = class _Rows {
  static __wrap(ptr) {
    const obj = Object.create(_Rows.prototype);
    obj.__wbg_ptr = ptr;
    RowsFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    RowsFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_rows_free(ptr, 0);
  }
  /**
   * How many there are.
   * @returns {number}
   */
  get length() {
    const ret = wasm.rows_length(this.__wbg_ptr);
    return ret >>> 0;
  }
  /**
   * Rows of numbers, one after the other; a missing one is NaN.
   * @param {Model} model
   * @param {Float64Array | number[]} numbers
   * @returns {Rows}
   */
  static ofNumbers(model, numbers) {
    _assertClass(model, Model);
    const ptr0 = passArrayF64ToWasm0(numbers, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.rows_ofNumbers(model.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return _Rows.__wrap(ret[0]);
  }
  /**
   * Rows of cells as texts, one after the other; a missing one is empty.
   * @param {Model} model
   * @param {string[]} cells
   * @returns {Rows}
   */
  static ofTexts(model, cells) {
    _assertClass(model, Model);
    const ptr0 = passArrayJsValueToWasm0(cells, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.rows_ofTexts(model.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return _Rows.__wrap(ret[0]);
  }
  /**
   * The integers of one row, as the model sees it.
   * @param {number} row
   * @returns {Uint32Array}
   */
  quantized(row) {
    const ret = wasm.rows_quantized(this.__wbg_ptr, row);
    var v1 = getArrayU32FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
    return v1;
  }
};
if (Symbol.dispose) Rows.prototype[Symbol.dispose] = Rows.prototype.free;
var SecretKey = class _SecretKey {
  static __wrap(ptr) {
    const obj = Object.create(_SecretKey.prototype);
    obj.__wbg_ptr = ptr;
    SecretKeyFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    SecretKeyFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_secretkey_free(ptr, 0);
  }
};
if (Symbol.dispose) SecretKey.prototype[Symbol.dispose] = SecretKey.prototype.free;
var Talk = class _Talk {
  static __wrap(ptr) {
    const obj = Object.create(_Talk.prototype);
    obj.__wbg_ptr = ptr;
    TalkFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    TalkFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_talk_free(ptr, 0);
  }
  /**
   * There is no reply, for this reason. Returns as [`Talk::reply`].
   * @param {boolean} transient
   * @param {string} reason
   * @returns {number}
   */
  lost(transient, reason2) {
    const val2 = +transient;
    const ptr0 = passStringToWasm0(reason2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.talk_lost(this.__wbg_ptr, val2, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0];
  }
  /**
   * Takes the whole reply: its status, the names and values of its headers by turns, its body. Returns the milliseconds
   * until [`Talk::request`] is to be sent (again); less than 0 where it is over.
   * @param {number} status
   * @param {string[]} headers
   * @param {Uint8Array | number[]} body
   * @returns {number}
   */
  reply(status, headers, body) {
    const val3 = +status;
    let ptr0, len0, ptr1, len1;
    try {
      ptr0 = passArrayJsValueToWasm0(headers, wasm.__wbindgen_malloc);
      len0 = WASM_VECTOR_LEN;
      ptr1 = passArray8ToWasm0(body, wasm.__wbindgen_malloc);
      len1 = WASM_VECTOR_LEN;
    } catch (e) {
      if (ptr1) {
        wasm.__wbindgen_free(ptr1, len1 * 1, 1);
      }
      if (ptr0) {
        wasm.__externref_drop_slice(ptr0, len0);
        wasm.__wbindgen_free(ptr0, len0 * 4, 4);
      }
      throw e;
    }
    const ret = wasm.talk_reply(this.__wbg_ptr, val3, ptr0, len0, ptr1, len1);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0];
  }
  /**
   * The request to send now: `{method, path, headers: [[name, value]], body: Uint8Array | null}`.
   * @returns {object}
   */
  request() {
    const ret = wasm.talk_request(this.__wbg_ptr);
    return ret;
  }
  /**
   * The answer that was asked for; `undefined` where the server does not know the key any more.
   * @returns {Answer | undefined}
   */
  takeAnswer() {
    const ret = wasm.talk_takeAnswer(this.__wbg_ptr);
    return ret === 0 ? void 0 : Answer.__wrap(ret);
  }
  /**
   * What [`list_models`] came to: JSON of a list of `ListedModel` in `api.ts`.
   * @returns {string | undefined}
   */
  takeList() {
    const ret = wasm.talk_takeList(this.__wbg_ptr);
    if (ret[3]) {
      throw takeFromExternrefTable0(ret[2]);
    }
    let v1;
    if (ret[0] !== 0) {
      v1 = getStringFromWasm0(ret[0], ret[1]);
      wasm.__wbindgen_free(ret[0], ret[1] * 1, 1);
    }
    return v1;
  }
  /**
   * The model that was fetched.
   * @returns {Model | undefined}
   */
  takeModel() {
    const ret = wasm.talk_takeModel(this.__wbg_ptr);
    return ret === 0 ? void 0 : Model.__wrap(ret);
  }
  /**
   * The bytes of the evaluation key that this talk has sent, and those that it has to send; both 0 where the server had it.
   * @returns {Uint32Array}
   */
  uploaded() {
    const ret = wasm.talk_uploaded(this.__wbg_ptr);
    var v1 = getArrayU32FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
    return v1;
  }
};
if (Symbol.dispose) Talk.prototype[Symbol.dispose] = Talk.prototype.free;
function listModels(server) {
  const ptr0 = passStringToWasm0(server, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
  const len0 = WASM_VECTOR_LEN;
  const ret = wasm.listModels(ptr0, len0);
  return Talk.__wrap(ret);
}
function renewal(told, failures, age, max_age) {
  const ret = wasm.renewal(told, failures, age, !isLikeNone(max_age), isLikeNone(max_age) ? 0 : max_age);
  let v1;
  if (ret[0] !== 0) {
    v1 = getStringFromWasm0(ret[0], ret[1]);
    wasm.__wbindgen_free(ret[0], ret[1] * 1, 1);
  }
  return v1;
}
function takeRows(told, bits, wanted) {
  const ret = wasm.takeRows(told, bits, wanted);
  var v1 = getArrayU32FromWasm0(ret[0], ret[1]).slice();
  wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
  return v1;
}
function __wbg_get_imports() {
  const import0 = {
    __proto__: null,
    __wbg___wbindgen_string_get_7ce8eee7fd327545: function(arg0, arg1) {
      const obj = arg1;
      const ret = typeof obj === "string" ? obj : void 0;
      var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
      var len1 = WASM_VECTOR_LEN;
      getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
      getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
    },
    __wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
      throw new Error(getStringFromWasm0(arg0, arg1));
    },
    __wbg_getRandomValues_05ddcb311aaadab8: function() {
      return handleError(function(arg0, arg1) {
        const ret = crypto.getRandomValues(getArrayU8FromWasm0(arg0, arg1));
        return ret;
      }, arguments);
    },
    __wbg_new_37eb45aaf5eeb820: function() {
      const ret = new Array();
      return ret;
    },
    __wbg_new_787b9fb330d55d78: function(arg0, arg1) {
      const ret = new Error(getStringFromWasm0(arg0, arg1));
      return ret;
    },
    __wbg_new_cd4348290afae586: function() {
      const ret = new Object();
      return ret;
    },
    __wbg_new_from_slice_b8daf545a41c6aa0: function(arg0, arg1) {
      const ret = new Uint8Array(getArrayU8FromWasm0(arg0, arg1));
      return ret;
    },
    __wbg_of_e7ea0fcd535c1444: function(arg0, arg1) {
      const ret = Array.of(arg0, arg1);
      return ret;
    },
    __wbg_push_c9f4893fc209f768: function(arg0, arg1) {
      const ret = arg0.push(arg1);
      return ret;
    },
    __wbg_set_2793479888329cb6: function() {
      return handleError(function(arg0, arg1, arg2) {
        const ret = Reflect.set(arg0, arg1, arg2);
        return ret;
      }, arguments);
    },
    __wbindgen_generic_0000000000000001: function(arg0, arg1) {
      const ret = getStringFromWasm0(arg0, arg1);
      return ret;
    },
    __wbindgen_init_externref_table: function() {
      const table = wasm.__wbindgen_externrefs;
      table.set(0, void 0);
      table.set(1024, void 0);
      table.set(1025, null);
      table.set(1026, true);
      table.set(1027, false);
    }
  };
  return {
    __proto__: null,
    "./fhectl_wasm_bg.js": import0
  };
}
var AnswerFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_answer_free(ptr, 1));
var DecryptedFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_decrypted_free(ptr, 1));
var EncryptedFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_encrypted_free(ptr, 1));
var EvaluationKeyFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_evaluationkey_free(ptr, 1));
var KeyFileFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_keyfile_free(ptr, 1));
var KeysFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_keys_free(ptr, 1));
var ModelFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_model_free(ptr, 1));
var RowsFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_rows_free(ptr, 1));
var SecretKeyFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_secretkey_free(ptr, 1));
var TalkFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_talk_free(ptr, 1));
function addToExternrefTable0(obj) {
  const idx = wasm.__externref_table_alloc();
  wasm.__wbindgen_externrefs.set(idx, obj);
  return idx;
}
function _assertClass(instance, klass) {
  if (!(instance instanceof klass)) {
    throw new Error(`expected instance of ${klass.name}`);
  }
}
function getArrayU32FromWasm0(ptr, len) {
  ptr = ptr >>> 0;
  return getUint32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}
function getArrayU8FromWasm0(ptr, len) {
  ptr = ptr >>> 0;
  return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}
var cachedDataViewMemory0 = null;
function getDataViewMemory0() {
  if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || cachedDataViewMemory0.buffer.detached === void 0 && cachedDataViewMemory0.buffer !== wasm.memory.buffer) {
    cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
  }
  return cachedDataViewMemory0;
}
var cachedFloat64ArrayMemory0 = null;
function getFloat64ArrayMemory0() {
  if (cachedFloat64ArrayMemory0 === null || cachedFloat64ArrayMemory0.byteLength === 0) {
    cachedFloat64ArrayMemory0 = new Float64Array(wasm.memory.buffer);
  }
  return cachedFloat64ArrayMemory0;
}
function getStringFromWasm0(ptr, len) {
  ptr = ptr >>> 0;
  return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}
var cachedUint32ArrayMemory0 = null;
function getUint32ArrayMemory0() {
  if (cachedUint32ArrayMemory0 === null || cachedUint32ArrayMemory0.byteLength === 0) {
    cachedUint32ArrayMemory0 = new Uint32Array(wasm.memory.buffer);
  }
  return cachedUint32ArrayMemory0;
}
var cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
  if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
    cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
  }
  return cachedUint8ArrayMemory0;
}
function handleError(f, args) {
  try {
    return f.apply(this, args);
  } catch (e) {
    const idx = addToExternrefTable0(e);
    wasm.__wbindgen_exn_store(idx);
  }
}
function isLikeNone(x) {
  return x === void 0 || x === null;
}
function passArray8ToWasm0(arg, malloc) {
  const ptr = malloc(arg.length * 1, 1) >>> 0;
  getUint8ArrayMemory0().set(arg, ptr / 1);
  WASM_VECTOR_LEN = arg.length;
  return ptr;
}
function passArrayF64ToWasm0(arg, malloc) {
  const ptr = malloc(arg.length * 8, 8) >>> 0;
  getFloat64ArrayMemory0().set(arg, ptr / 8);
  WASM_VECTOR_LEN = arg.length;
  return ptr;
}
function passArrayJsValueToWasm0(array, malloc) {
  const ptr = malloc(array.length * 4, 4) >>> 0;
  for (let i = 0; i < array.length; i++) {
    const add = addToExternrefTable0(array[i]);
    getDataViewMemory0().setUint32(ptr + 4 * i, add, true);
  }
  WASM_VECTOR_LEN = array.length;
  return ptr;
}
function passStringToWasm0(arg, malloc, realloc) {
  if (realloc === void 0) {
    const buf = cachedTextEncoder.encode(arg);
    const ptr2 = malloc(buf.length, 1) >>> 0;
    getUint8ArrayMemory0().subarray(ptr2, ptr2 + buf.length).set(buf);
    WASM_VECTOR_LEN = buf.length;
    return ptr2;
  }
  let len = arg.length;
  let ptr = malloc(len, 1) >>> 0;
  const mem = getUint8ArrayMemory0();
  let offset = 0;
  for (; offset < len; offset++) {
    const code = arg.charCodeAt(offset);
    if (code > 127) break;
    mem[ptr + offset] = code;
  }
  if (offset !== len) {
    if (offset !== 0) {
      arg = arg.slice(offset);
    }
    ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
    const view2 = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
    const ret = cachedTextEncoder.encodeInto(arg, view2);
    offset += ret.written;
    ptr = realloc(ptr, len, offset, 1) >>> 0;
  }
  WASM_VECTOR_LEN = offset;
  return ptr;
}
function takeFromExternrefTable0(idx) {
  const value = wasm.__wbindgen_externrefs.get(idx);
  wasm.__externref_table_dealloc(idx);
  return value;
}
var cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
cachedTextDecoder.decode();
var MAX_SAFARI_DECODE_BYTES = 2146435072;
var numBytesDecoded = 0;
function decodeText(bytes) {
  numBytesDecoded += bytes.length;
  if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
    cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
    cachedTextDecoder.decode();
    numBytesDecoded = bytes.length;
  }
  return cachedTextDecoder.decode(bytes);
}
var cachedTextEncoder = new TextEncoder();
if (!("encodeInto" in cachedTextEncoder)) {
  cachedTextEncoder.encodeInto = function(arg, view2) {
    const buf = cachedTextEncoder.encode(arg);
    view2.set(buf);
    return {
      read: arg.length,
      written: buf.length
    };
  };
}
var WASM_VECTOR_LEN = 0;
var wasmModule;
var wasmInstance;
var wasm;
function __wbg_finalize_init(instance, module) {
  wasmInstance = instance;
  wasm = instance.exports;
  wasmModule = module;
  cachedDataViewMemory0 = null;
  cachedFloat64ArrayMemory0 = null;
  cachedUint32ArrayMemory0 = null;
  cachedUint8ArrayMemory0 = null;
  wasm.__wbindgen_start();
  return wasm;
}
async function __wbg_load(module, imports) {
  if (typeof Response === "function" && module instanceof Response) {
    if (!module.ok) {
      throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
    }
    if (typeof WebAssembly.instantiateStreaming === "function") {
      try {
        return await WebAssembly.instantiateStreaming(module, imports);
      } catch (e) {
        const validResponse = expectedResponseType(module.type);
        if (validResponse && module.headers.get("Content-Type") !== "application/wasm") {
          console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);
        } else {
          throw e;
        }
      }
    }
    const bytes = await module.arrayBuffer();
    return await WebAssembly.instantiate(bytes, imports);
  } else {
    const instance = await WebAssembly.instantiate(module, imports);
    if (instance instanceof WebAssembly.Instance) {
      return { instance, module };
    } else {
      return instance;
    }
  }
  function expectedResponseType(type) {
    switch (type) {
      case "basic":
      case "cors":
      case "default":
        return true;
    }
    return false;
  }
}
function initSync(module) {
  if (wasm !== void 0) return wasm;
  if (module !== void 0) {
    if (Object.getPrototypeOf(module) === Object.prototype) {
      ({ module } = module);
    } else {
      console.warn("using deprecated parameters for `initSync()`; pass a single object instead");
    }
  }
  const imports = __wbg_get_imports();
  if (!(module instanceof WebAssembly.Module)) {
    module = new WebAssembly.Module(module);
  }
  const instance = new WebAssembly.Instance(module, imports);
  return __wbg_finalize_init(instance, module);
}
var __wbg_init_promise;
async function __wbg_init(module_or_path) {
  if (wasm !== void 0) return wasm;
  if (__wbg_init_promise === void 0) {
    __wbg_init_promise = __wbg_init_once(module_or_path);
    __wbg_init_promise.catch(() => {
      __wbg_init_promise = void 0;
    });
  }
  return __wbg_init_promise;
}
async function __wbg_init_once(module_or_path) {
  if (module_or_path !== void 0) {
    if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
      ({ module_or_path } = module_or_path);
    } else {
      console.warn("using deprecated parameters for the initialization function; pass a single object instead");
    }
  }
  const imports = __wbg_get_imports();
  if (typeof module_or_path === "string" || typeof Request === "function" && module_or_path instanceof Request || typeof URL === "function" && module_or_path instanceof URL) {
    module_or_path = fetch(module_or_path);
  }
  const { instance, module } = await __wbg_load(await module_or_path, imports);
  return __wbg_finalize_init(instance, module);
}

// src/runtime.ts
var assets = {};
var compiling;
var starting;
var exports;
var broken;
function configure(given) {
  assets = { ...assets, ...given };
  compiling = void 0;
}
function workerUrl() {
  return new URL(String(assets.worker ?? "./worker.js"), assets.worker ? globalThis.location?.href : import.meta.url);
}
function compiled() {
  compiling ??= compile().catch((error) => {
    compiling = void 0;
    throw error;
  });
  return compiling;
}
function start(given) {
  if (given) compiling = Promise.resolve(given);
  starting ??= (async () => {
    const { module } = await compiled();
    exports = await __wbg_init({ module_or_path: module });
  })().catch((error) => {
    starting = void 0;
    throw error;
  });
  return starting;
}
function guarded(call) {
  if (broken) throw broken;
  try {
    return call();
  } catch (error) {
    const { code, message, hint } = error;
    if (typeof code === "string") throw new FhectlError(code, String(message), hint ?? null);
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
    broken = new FhectlError(
      "internal",
      `a fault of fhectl itself: ${error.message}`,
      "load the page anew, and report it with this message"
    );
    throw broken;
  }
}
function view(address, length) {
  return new Uint8Array(memory().buffer, address, length);
}
var memoryBytes = () => memory().buffer.byteLength;
function memory() {
  if (!exports) throw new FhectlError("internal", "the WebAssembly module was not started");
  return exports.memory;
}
var SIMD_PROBE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  10,
  1,
  8,
  0,
  65,
  0,
  253,
  15,
  253,
  98,
  11
);
async function compile() {
  const simd = WebAssembly.validate(SIMD_PROBE);
  const { wasm: wasm2 } = assets;
  if (wasm2 instanceof WebAssembly.Module) return { module: wasm2, simd };
  if (wasm2 instanceof Uint8Array || wasm2 instanceof ArrayBuffer) {
    return { module: await WebAssembly.compile(wasm2), simd };
  }
  const name = simd ? "./fhectl-simd.wasm" : "./fhectl.wasm";
  const url = wasm2 ? new URL(String(wasm2), globalThis.location?.href) : new URL(name, import.meta.url);
  return { module: await (url.protocol === "file:" ? ofFile(url) : ofWeb(url)), simd };
}
async function ofWeb(url) {
  let reply;
  try {
    reply = await fetch(url);
  } catch (error) {
    throw missing(url, error.message);
  }
  if (!reply.ok) throw missing(url, `HTTP ${reply.status}`);
  const type = reply.headers.get("content-type") ?? "";
  if (!type.startsWith("application/wasm")) return WebAssembly.compile(await reply.arrayBuffer());
  return WebAssembly.compileStreaming(reply);
}
async function ofFile(url) {
  const { readFile } = await import("node:fs/promises");
  return WebAssembly.compile(await readFile(url));
}
function missing(url, why) {
  return new FhectlError("not_found", `${url} cannot be had: ${why}`, "put the .wasm files beside index.js, or say where with `configure`");
}

// src/transport.ts
var MAX_REPLY = 68 << 20;
var LONGEST = 6e5;
function parseUrl(given) {
  const invalid = (why) => new FhectlError("url_invalid", `\`${given}\` is not a server's URL: ${why}`, "give it as https://host/v1/models/NAME");
  let url;
  try {
    url = new URL(given, globalThis.location?.href);
  } catch {
    throw invalid("it cannot be read");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw invalid(`it begins with ${url.protocol}`);
  if (url.username || url.password) throw invalid("names and passwords do not belong in it");
  const whole = url.origin + url.pathname.replace(/\/+$/, "");
  const found = /^(.*)\/v1\/models\/([^/]+)(?:\/client\.zip)?$/.exec(whole);
  return found ? { base: found[1], name: found[2] } : { base: whole, name: void 0 };
}
async function converse(talk, server, { signal, before } = {}) {
  for (; ; ) {
    signal?.throwIfAborted();
    before?.();
    const request = guarded(() => talk.request());
    const start2 = performance.now();
    const outcome = await send(server, request, signal);
    const seconds = (performance.now() - start2) / 1e3;
    const pause = guarded(
      () => "lost" in outcome ? talk.lost(outcome.transient, outcome.lost) : talk.reply(outcome.status, outcome.headers, outcome.body)
    );
    if (pause < 0) {
      before?.();
      return seconds;
    }
    if (pause > 0) await sleep(pause, signal);
  }
}
async function send(server, request, signal) {
  const headers = new Headers(request.headers);
  if (server.token !== void 0) headers.set("authorization", `Bearer ${server.token}`);
  const timeout = new AbortController();
  const end = () => timeout.abort();
  const timer = setTimeout(end, LONGEST);
  signal?.addEventListener("abort", end);
  try {
    const { method, body } = request;
    const { fetch: fetch2 } = server;
    const reply = await fetch2(server.base + request.path, { method, headers, body, cache: "no-store", signal: timeout.signal });
    const bytes = await readBounded(reply);
    if (!bytes) return { lost: `the reply is longer than ${MAX_REPLY} bytes`, transient: false };
    return { status: reply.status, headers: [...reply.headers].flat(), body: bytes };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout.signal.aborted) return { lost: "it took too long", transient: false };
    return { lost: reason(error, server.base), transient: true };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
async function readBounded(reply) {
  const parts = [];
  let length = 0;
  const reader = reply.body?.getReader();
  for (; ; ) {
    const { done: done2, value } = await reader?.read() ?? { done: true };
    if (done2 || !value) break;
    length += value.length;
    if (length > MAX_REPLY) {
      await reader?.cancel();
      return void 0;
    }
    parts.push(value);
  }
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
function reason(error, base) {
  const { message, cause } = error;
  const said = String(cause?.message || message || "the connection failed");
  const own = globalThis.location?.origin;
  if (own === void 0 || own === new URL(base).origin) return said;
  const site = /^https?:/.test(own) ? own : "'*'";
  return `${said} (a server answers pages from elsewhere, as this one is, only with \`--cors-origin ${site}\`)`;
}
function sleep(milliseconds, signal) {
  return new Promise((done2, fail) => {
    const end = () => {
      clearTimeout(timer);
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      done2();
    }, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
  });
}

// src/catalog.ts
function serverOf(base, { token, fetch: own }) {
  return { base, token, fetch: own ?? ((...request) => fetch(...request)) };
}
async function fetchModel(server, name, options) {
  if (!server) throw new FhectlError("arguments", "neither a URL nor a client.zip was given", "give one of them to `Model.load`");
  const named = name ?? await onlyModel(server, options);
  const talk = guarded(() => fhectl_wasm_exports.Model.fetch(server.base, named, options.scores ?? false, options.acceptPFail));
  try {
    await converse(talk, server, options);
    return guarded(() => talk.takeModel());
  } finally {
    talk.free();
  }
}
async function onlyModel(server, options) {
  const names = (await listOf(server, options.signal)).map(({ name }) => name);
  if (names.length === 1) return names[0];
  const which = names.length === 0 ? "it serves none" : `it serves ${names.slice(0, 20).join(", ")}`;
  throw new FhectlError("model_unnamed", `the URL names no model, and ${which}`, "give the model's URL: https://host/v1/models/NAME");
}
async function listOf(server, signal) {
  const talk = guarded(() => fhectl_wasm_exports.listModels(server.base));
  try {
    await converse(talk, server, { signal });
    return JSON.parse(guarded(() => talk.takeList()) ?? "[]");
  } finally {
    talk.free();
  }
}

// src/batches.ts
var JOBS = 2;
function* batchesOf({ from, count }, { batchRows }) {
  for (let at = from; at < from + count; at += batchRows) yield { at, count: Math.min(batchRows, from + count - at) };
}
async function ask(session, info, portion, rows, options, each) {
  const under = [];
  const { held } = portion;
  try {
    for (const { at, count } of batchesOf(portion, info)) {
      const job = held.use(() => askOne(session, info, held, rows, at, count, options));
      job.catch(() => void 0);
      under.push(job);
      if (at === portion.from || under.length >= JOBS) each(await under.shift());
    }
    while (under.length > 0) each(await under.shift());
  } finally {
    await Promise.allSettled(under);
  }
}
async function askOne(session, info, held, rows, at, count, options) {
  const server = session.needServer();
  const began = performance.now();
  const encrypted = guarded(() => held.keys.encrypt(rows, at, count));
  const encrypt = (performance.now() - began) / 1e3;
  try {
    const { brought } = held;
    let { answer, roundtrip } = await converseOnce(guarded(() => held.keys.ask(server.base, encrypted)), server, options);
    if (!answer) {
      await session.bringAgain(held, brought, options);
      ({ answer, roundtrip } = await converseOnce(guarded(() => held.keys.askAgain(server.base, encrypted)), server, options));
    }
    if (!answer) throw new FhectlError("internal", "a talk ended without its answer");
    const { bytes, queue, compute } = answer;
    answer.free();
    const network = Math.max(0, roundtrip - (queue ?? 0) - (compute ?? 0));
    const times = { encrypt, roundtrip, network, queue: queue ?? null, compute: compute ?? null };
    const kept = options.keepBytes ? { request: encrypted.bytes, answer: bytes } : void 0;
    return decrypt(info, held, encrypted, bytes, times, kept);
  } finally {
    encrypted.free();
  }
}
async function converseOnce(talk, server, options) {
  try {
    const roundtrip = await converse(talk, server, options);
    return { roundtrip, answer: guarded(() => talk.takeAnswer()) };
  } finally {
    talk.free();
  }
}
function decrypt(info, held, encrypted, answer, times, kept = { request: null, answer: null }) {
  const [rows, requestBytes] = [encrypted.rows, guarded(() => encrypted.length)];
  const start2 = performance.now();
  const result = guarded(() => held.keys.decrypt(encrypted, answer));
  const predictions = JSON.parse(result.predictions);
  const distrust = result.distrust;
  result.free();
  const exchange = {
    rows,
    keyId: info.sizes.key === 0 ? null : held.keys.id,
    times: { ...times, decrypt: (performance.now() - start2) / 1e3 },
    requestBytes,
    answerBytes: answer.length,
    ...kept
  };
  return { predictions: predictions.map((one) => ({ ...one, exchange })), distrust };
}

// src/rows.ts
function areRows(given) {
  if (!Array.isArray(given)) return false;
  const first = given[0];
  return given.length === 0 || typeof first === "object" && first !== null;
}
function toRows(model, info, rows) {
  if (rows.length === 0) throw new FhectlError("row_shape", "there are no rows", "give at least one");
  const numeric = info.features.every((feature) => feature.kind === "number");
  const cells = rows.map((row, index) => cellsOf(row, info.features, index));
  if (numeric && cells.every((row) => row.every(isNumeric))) {
    const numbers = new Float64Array(rows.length * info.features.length);
    cells.flat().forEach((cell, at) => numbers[at] = typeof cell === "number" ? cell : NaN);
    const made = guarded(() => fhectl_wasm_exports.Rows.ofNumbers(model, numbers));
    numbers.fill(0);
    return made;
  }
  return guarded(() => fhectl_wasm_exports.Rows.ofTexts(model, cells.flat().map(textOf)));
}
function cellsOf(row, features, index) {
  const shape = (what) => new FhectlError("row_shape", `row ${index + 1}: ${what}`, "`model.info.features` lists the columns in their order");
  if (Array.isArray(row) || ArrayBuffer.isView(row)) {
    const list = row;
    if (list.length !== features.length) throw shape(`${list.length} values, the model takes ${features.length}`);
    return Array.from(list);
  }
  if (typeof row !== "object" || row === null) throw shape("neither a list of cells nor cells by their names");
  const named = row;
  const lacking = features.find(({ name }) => !Object.hasOwn(named, name));
  if (lacking) throw shape(`the column \`${lacking.name.slice(0, 40)}\` is not there`);
  return features.map(({ name }) => named[name]);
}
var isNumeric = (cell) => typeof cell === "number" || cell === null || cell === void 0;
function textOf(cell) {
  if (cell === null || cell === void 0 || typeof cell === "number" && Number.isNaN(cell)) return "";
  return String(cell);
}

// src/keyring.ts
var HeldKeys = class {
  constructor(keys, serial, report) {
    this.keys = keys;
    this.serial = serial;
    this.report = report;
  }
  keys;
  serial;
  report;
  /** Batches under them whose answers cannot be trusted: known also where other keys have taken their place. */
  failures = 0;
  /** Settled once the server has the evaluation key: the seconds that it took and the bytes that were sent. */
  brought;
  #users = 1;
  /** Keeps them while `work` runs. */
  async use(work) {
    this.retain();
    try {
      return await work(this.keys);
    } finally {
      this.release();
    }
  }
  retain() {
    this.#users += 1;
  }
  release() {
    this.#users -= 1;
    if (this.#users === 0) this.keys.free();
  }
};
var Keyring = class {
  constructor(store, model, info, maxAge) {
    this.store = store;
    this.model = model;
    this.info = info;
    this.maxAge = maxAge;
  }
  store;
  model;
  info;
  maxAge;
  /** The keys to use. `why` has a new one made whatever there is. */
  async open(why = null) {
    const start2 = performance.now();
    const { records } = this.store;
    const before = await records.read(this.info.id);
    let renewed = why;
    if (before) {
      renewed ??= this.#renewal(before);
      if (renewed === null) {
        const secret2 = await this.#unseal(before);
        return this.#join(secret2, before.serial, { fresh: false, renewed, start: start2 });
      }
    }
    const { secret, serial } = await this.#make(before?.serial);
    if (before) await records.deleteEvaluation(this.info.id, before.serial);
    return this.#join(secret, serial, { fresh: true, renewed: before ? renewed : null, start: start2 });
  }
  /**
   * Takes up to `wanted` of the rows that may still be asked under these keys; 0 where there are none, and `open` gives others. They
   * are counted before they are asked: a run that is cut short has used them up.
   */
  async takeRows(held, wanted) {
    const bits = guarded(() => this.model.disclosedBits());
    if (bits === void 0) return wanted;
    let taken = 0;
    await this.store.records.update(this.info.id, (record) => {
      taken = 0;
      if (record?.serial !== held.serial) return record;
      const [rows, told] = guarded(() => fhectl_wasm_exports.takeRows(record.told, bits, wanted));
      taken = rows;
      return { ...record, told };
    });
    return taken;
  }
  /** Whether keys may be used still: another tab may have replaced or deleted them, or they have retired. */
  async isCurrent(held) {
    const record = await this.store.records.read(this.info.id);
    return record?.serial === held.serial && this.#renewal(record) === null;
  }
  /**
   * Ends a run: counts its batches whose answers cannot be trusted. After a few of them the keys retire, and all runs under them that
   * end from then on fail alike: were those that saw none told from the others, each would be a bit about the key.
   */
  async settle(held, batches) {
    held.failures += batches;
    const { records } = this.store;
    const record = batches === 0 ? await records.read(this.info.id) : await records.update(
      this.info.id,
      (there) => there?.serial === held.serial ? { ...there, failures: there.failures + batches } : there
    );
    const counted = Math.max(held.failures, record?.serial === held.serial ? record.failures : 0);
    if (batches === 0 && guarded(() => fhectl_wasm_exports.renewal(0, counted, 0)) === "failures") {
      throw new FhectlError(
        "answers_untrusted",
        "answers to other rows under the same key cannot be trusted, and too many of them",
        "use no row of these runs before the cause is found; ask the server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)"
      );
    }
  }
  #renewal({ told, failures, made }) {
    const age = Date.now() / 1e3 - made;
    return guarded(() => fhectl_wasm_exports.renewal(told, failures, age, this.maxAge)) ?? null;
  }
  async current() {
    const record = await this.store.records.read(this.info.id);
    return record ? shown(record) : null;
  }
  async list() {
    return (await this.store.records.list()).map(shown);
  }
  /** Whether there was one to delete. */
  async delete(model) {
    const before = await this.store.records.read(model);
    await this.store.records.update(model, () => void 0);
    if (before) await this.store.records.deleteEvaluation(model, before.serial);
    return before !== void 0;
  }
  async #unseal(record) {
    const { sealer } = this.store;
    const sealed = record.nonce !== null;
    if (sealed && !sealer) {
      throw new FhectlError("key_file_invalid", "the stored key is sealed, and this storage does not open it", "delete it");
    }
    const bytes = sealed && sealer ? await sealer.open(label(record), record) : record.secret.slice();
    try {
      return guarded(() => this.model.readKeyFile(bytes));
    } finally {
      bytes.fill(0);
    }
  }
  /** Makes a key in the place of the one of serial `before`. Where another tab was faster, its key counts. */
  async #make(before) {
    const secret = guarded(() => this.model.generateSecret());
    const made = Math.floor(Date.now() / 1e3);
    const file = guarded(() => this.model.writeKeyFile(secret, made));
    const { serial } = file;
    const bytes = file.bytes;
    file.free();
    const { id: model, name, circuit } = this.info;
    const { sealer } = this.store;
    const header = { model, name, circuit, serial, made, told: 0, failures: 0 };
    let record;
    if (sealer) {
      record = { ...header, ...await sealer.seal(label(header), bytes) };
      bytes.fill(0);
    } else {
      record = { ...header, secret: bytes, nonce: null };
    }
    const there = await this.store.records.update(model, (other) => other?.serial === before ? record : other);
    if (there?.serial === serial) return { secret, serial };
    secret.free();
    if (!there) throw new FhectlError("keys_unwritable", "the stored key came and went", "try again");
    return { secret: await this.#unseal(there), serial: there.serial };
  }
  /** The evaluation key is kept too: its id is its hash, and making it again would make another, to be sent again. */
  async #join(secret, serial, { start: start2, ...state }) {
    const bytes = this.info.sizes.key;
    const { records } = this.store;
    const stored = bytes > 0 ? await records.readEvaluation(this.info.id, serial) : void 0;
    const usable = stored?.length === bytes ? stored : void 0;
    const evaluation = guarded(
      () => usable ? new fhectl_wasm_exports.EvaluationKey(usable) : this.model.generateEvaluation(secret)
    );
    let digest;
    if (bytes > 0) {
      if (!usable) await records.writeEvaluation(this.info.id, serial, view(evaluation.address, evaluation.length).slice());
      const subtle = globalThis.crypto?.subtle;
      if (subtle) digest = new Uint8Array(await subtle.digest("SHA-256", view(evaluation.address, evaluation.length)));
    }
    const keys = guarded(() => this.model.keys(secret, evaluation, digest));
    return new HeldKeys(keys, serial, { ...state, make: (performance.now() - start2) / 1e3, bytes });
  }
};
var label = ({ model, serial, circuit }) => `fhectl key ${model} ${serial} ${circuit}`;
function shown({ model, name, circuit, serial, made, nonce, told, failures }) {
  return { model, name, circuit, serial, made: new Date(made * 1e3), sealed: nonce !== null, told, failures };
}

// src/indexeddb.ts
var DATABASE = "fhectl";
var VERSION = 1;
var RECORDS = "keys";
var EVALUATIONS = "evaluations";
var SEALS = "seals";
var IndexedDbStorage = class _IndexedDbStorage {
  #database;
  #key;
  /** Whether it can be had: WebCrypto is there in secure contexts only. */
  static isThere() {
    return typeof indexedDB !== "undefined" && globalThis.crypto?.subtle !== void 0;
  }
  static async open() {
    try {
      const request = indexedDB.open(DATABASE, VERSION);
      request.onupgradeneeded = () => {
        for (const name of [RECORDS, EVALUATIONS, SEALS]) request.result.createObjectStore(name);
      };
      const database = await done(request);
      database.onversionchange = () => database.close();
      return new _IndexedDbStorage(database, await sealingKey(database));
    } catch (error) {
      throw unwritable(error);
    }
  }
  constructor(database, key) {
    this.#database = database;
    this.#key = key;
  }
  read(model) {
    return this.#in(RECORDS, "readonly", (store) => done(store.get(model)));
  }
  update(model, change) {
    return this.#in(RECORDS, "readwrite", async (store) => {
      const before = await done(store.get(model));
      const after = change(before);
      if (after && after !== before) await done(store.put(after, model));
      if (!after && before) await done(store.delete(model));
      return after;
    });
  }
  list() {
    return this.#in(RECORDS, "readonly", (store) => done(store.getAll()));
  }
  readEvaluation(model, serial) {
    return this.#in(EVALUATIONS, "readonly", (store) => done(store.get(`${model}.${serial}`)));
  }
  async writeEvaluation(model, serial, bytes) {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.put(bytes, `${model}.${serial}`)));
  }
  async deleteEvaluation(model, serial) {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.delete(`${model}.${serial}`)));
  }
  async seal(label2, bytes) {
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const secret = await crypto.subtle.encrypt(algorithm(label2, nonce), this.#key, bytes);
    return { secret: new Uint8Array(secret), nonce };
  }
  async open(label2, { secret, nonce }) {
    try {
      const opened = await crypto.subtle.decrypt(algorithm(label2, nonce), this.#key, secret);
      return new Uint8Array(opened);
    } catch {
      throw new FhectlError("key_file_invalid", "the stored key is damaged", "delete it, and a new key is made at the next use");
    }
  }
  /** Work in one transaction, whose requests follow each other without a pause. Resolves when it is on the disk. */
  async #in(name, mode, work) {
    try {
      const transaction = this.#database.transaction(name, mode, { durability: "strict" });
      const over = new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      });
      over.catch(() => void 0);
      const value = await work(transaction.objectStore(name));
      await over;
      return value;
    } catch (error) {
      throw unwritable(error);
    }
  }
};
var algorithm = (label2, iv) => ({
  name: "AES-GCM",
  iv,
  additionalData: new TextEncoder().encode(label2)
});
async function sealingKey(database) {
  const read = () => done(database.transaction(SEALS, "readonly").objectStore(SEALS).get("aes-gcm"));
  const there = await read();
  if (there) return there;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const store = database.transaction(SEALS, "readwrite").objectStore(SEALS);
  const meanwhile = await done(store.get("aes-gcm"));
  if (meanwhile) return meanwhile;
  await done(store.put(made, "aes-gcm"));
  return made;
}
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}
function unwritable(error) {
  if (error instanceof FhectlError) return error;
  return new FhectlError(
    "keys_unwritable",
    `the browser's storage of keys failed: ${error?.message ?? error}`,
    "free some space, allow this site to store data, or keep keys in memory"
  );
}

// src/storage.ts
async function openStore(choice) {
  if (typeof choice === "object") return { kind: "custom", records: choice, sealer: null };
  if (choice === "memory") return memory2();
  if (!IndexedDbStorage.isThere()) {
    if (choice === void 0) return memory2();
    throw new FhectlError(
      "keys_unwritable",
      "this page cannot keep keys: there is no IndexedDB with WebCrypto here",
      "serve it over https or from localhost, or take `memory`"
    );
  }
  try {
    const storage = await IndexedDbStorage.open();
    return { kind: "indexeddb", records: storage, sealer: storage };
  } catch (error) {
    if (choice === void 0) return memory2();
    throw error;
  }
}
var memory2 = () => ({ kind: "memory", records: MemoryStorage.shared, sealer: null });
var MemoryStorage = class _MemoryStorage {
  static shared = new _MemoryStorage();
  #records = /* @__PURE__ */ new Map();
  #evaluations = /* @__PURE__ */ new Map();
  async read(model) {
    return this.#records.get(model);
  }
  async update(model, change) {
    const before = this.#records.get(model);
    const after = change(before);
    if (before && before.serial !== after?.serial) before.secret.fill(0);
    if (after) this.#records.set(model, after);
    else this.#records.delete(model);
    return after;
  }
  async list() {
    return [...this.#records.values()];
  }
  async readEvaluation(model, serial) {
    return this.#evaluations.get(`${model}.${serial}`);
  }
  async writeEvaluation(model, serial, bytes) {
    this.#evaluations.set(`${model}.${serial}`, bytes);
  }
  async deleteEvaluation(model, serial) {
    this.#evaluations.delete(`${model}.${serial}`);
  }
};

// src/session.ts
var Session = class {
  constructor(model, info, server, options) {
    this.model = model;
    this.info = info;
    this.server = server;
    this.options = options;
  }
  model;
  info;
  server;
  options;
  #held;
  #opening;
  #keyring;
  #closed = false;
  async ring() {
    if (this.#closed) throw new FhectlError("arguments", "the model was closed", "load it again");
    this.#keyring ??= new Keyring(await openStore(this.options.storage), this.model, this.info, this.options.keyMaxAge);
    return this.#keyring;
  }
  /** Takes another storage, and drops the keys of the one before. */
  async useStorage(choice) {
    const store = await openStore(choice);
    if (store.kind === "custom" || store.kind !== this.#keyring?.store.kind) {
      this.dropAll();
      this.#keyring = new Keyring(store, this.model, this.info, this.options.keyMaxAge);
    }
    return store.kind;
  }
  /** The keys that are held, or those of the storage. `why` has new ones made. */
  async open({ onProgress }, why = null) {
    while (this.#opening) {
      const held = await this.#opening;
      if (why === null) return held;
    }
    this.#opening = (async () => {
      const ring = await this.ring();
      if (this.#held && why === null && await ring.isCurrent(this.#held)) return this.#held;
      this.dropAll();
      onProgress?.({ stage: "keys", done: 0, total: 0 });
      return this.#held = await ring.open(why);
    })();
    try {
      return await this.#opening;
    } finally {
      this.#opening = void 0;
    }
  }
  drop(held) {
    if (this.#held !== held) return;
    this.#held = void 0;
    held.release();
  }
  /** Nothing is opened any more. */
  close() {
    this.dropAll();
    this.#closed = true;
  }
  dropAll() {
    if (this.#held) this.drop(this.#held);
  }
  /**
   * Shares `total` rows among as many keys as it takes. The keys of a portion are kept until the next one is asked for. With `bring`
   * the server has them before, and is told when they are used up.
   */
  async *portions(total, { bring }, options) {
    let refused = 0;
    for (let from = 0; from < total; ) {
      const held = await this.open(options);
      held.retain();
      try {
        if (bring) await this.bring(held, options);
        options.signal?.throwIfAborted();
        const count = await (await this.ring()).takeRows(held, total - from);
        if (count > 0) yield { held, from, count };
        from += count;
        if (from < total) {
          this.drop(held);
          if (bring) await this.forget(held);
        }
        refused = count === 0 ? refused + 1 : 0;
      } finally {
        held.release();
      }
      if (refused > 2) throw new FhectlError("key_used_up", "no key could be had that may answer more rows", "try again");
    }
  }
  /** Checks that the server runs the model and brings it the keys, once for those that are held. */
  bring(held, options, again = false) {
    const { onProgress, signal } = options;
    const server = this.needServer();
    if (held.brought) {
      return held.brought.catch((error) => {
        if (error?.name === "AbortError" && !signal?.aborted) return this.bring(held, options, again);
        throw error;
      });
    }
    held.brought = held.use(async (keys) => {
      const start2 = performance.now();
      const talk = guarded(() => again ? keys.bringAgain(server.base) : keys.bring(server.base));
      try {
        const before = () => {
          const [done2, total] = guarded(() => talk.uploaded());
          if (total > 0) onProgress?.({ stage: "upload", done: done2, total });
        };
        await converse(talk, server, { signal, before });
        const [sent] = guarded(() => talk.uploaded());
        return { seconds: sent ? (performance.now() - start2) / 1e3 : 0, sent: sent ?? 0 };
      } finally {
        talk.free();
      }
    }).catch((error) => {
      held.brought = void 0;
      throw error;
    });
    return held.brought;
  }
  /**
   * Brings the keys to a server that has forgotten them since `brought`: their time was over, or an operator deleted them. Not those
   * that somebody here, or in another tab, has deleted or replaced.
   */
  async bringAgain(held, brought, options) {
    if (!await (await this.ring()).isCurrent(held)) {
      throw new FhectlError("key_unknown", "the key was deleted or replaced while rows were under way", "ask again: another key is used then");
    }
    if (held.brought === brought) held.brought = void 0;
    await this.bring(held, options, true);
  }
  /** Has the server forget them. Where that fails, its operator has a bound on the life of keys. */
  async forget(held) {
    const { server } = this;
    if (!server) return;
    const talk = guarded(() => held.keys.forget(server.base));
    if (!talk) return;
    await converse(talk, server).catch(() => void 0);
    talk.free();
  }
  needServer() {
    if (this.server) return this.server;
    throw new FhectlError("arguments", "the model was loaded without a server", "give its URL to `Model.load`, or use `encrypt` and `decrypt`");
  }
};

// src/untrusted.ts
var UntrustedAnswers = class {
  batches = 0;
  #first;
  add(distrust) {
    if (!distrust) return;
    this.batches += 1;
    this.#first ??= distrust;
  }
  /** Throws `answers_untrusted` where there are any. */
  check() {
    if (this.batches === 0) return;
    const many = this.batches === 1 ? "one batch of answers" : `${this.batches} batches of answers`;
    throw new FhectlError(
      "answers_untrusted",
      `${many} cannot be trusted; the first: ${this.#first?.message}`,
      "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)"
    );
  }
};

// src/local.ts
var LocalModel = class _LocalModel {
  constructor(info, simd, model, session) {
    this.info = info;
    this.simd = simd;
    this.model = model;
    this.session = session;
  }
  info;
  simd;
  model;
  session;
  #encrypted = /* @__PURE__ */ new Map();
  #handles = 0;
  static async load(source, options) {
    await start();
    const { simd } = await compiled();
    const { url, name, clientZip } = typeof source === "object" && !(source instanceof URL) ? source : { url: source };
    const found = url === void 0 ? void 0 : parseUrl(url);
    const server = found && serverOf(found.base, options);
    const model = clientZip ? guarded(() => new fhectl_wasm_exports.Model(new Uint8Array(clientZip), options.scores ?? false, options.acceptPFail)) : await fetchModel(server, name ?? found?.name, options);
    const info = JSON.parse(guarded(() => model.info()));
    return new _LocalModel(info, simd, model, new Session(model, info, server, options));
  }
  async predict(given, options) {
    const rows = toRows(this.model, this.info, given);
    const [predictions, untrusted] = [[], new UntrustedAnswers()];
    try {
      const total = rows.length;
      for await (const portion of this.session.portions(total, { bring: true }, options)) {
        const before = untrusted.batches;
        try {
          options.onProgress?.({ stage: "predict", done: predictions.length, total });
          await ask(this.session, this.info, portion, rows, options, (batch) => {
            predictions.push(...batch.predictions);
            untrusted.add(batch.distrust);
            options.onProgress?.({ stage: "predict", done: predictions.length, total });
          });
        } finally {
          await (await this.session.ring()).settle(portion.held, untrusted.batches - before);
        }
      }
    } finally {
      rows.free();
    }
    untrusted.check();
    return predictions;
  }
  async encrypt(given) {
    const rows = toRows(this.model, this.info, given);
    const batches = [];
    try {
      for await (const portion of this.session.portions(rows.length, { bring: false }, {})) {
        const { held } = portion;
        for (const { at, count } of batchesOf(portion, this.info)) {
          const batch = guarded(() => held.keys.encrypt(rows, at, count));
          held.retain();
          batches.push({ held, batch });
        }
      }
      const handle = ++this.#handles;
      this.#encrypted.set(handle, batches);
      return {
        rows: rows.length,
        batches: batches.map(({ batch }) => batch.bytes),
        keyIds: batches.map(({ held }) => held.keys.id),
        handle
      };
    } finally {
      rows.free();
    }
  }
  async decrypt(encrypted, answers) {
    const batches = this.#encrypted.get(encrypted.handle);
    if (!batches) {
      throw new FhectlError(
        "answers_count",
        "these rows were answered before, or encrypted by another model",
        "encrypt them again: of two answers to one question a server would learn too much"
      );
    }
    if (answers.length !== batches.length) {
      throw new FhectlError("answers_count", `${answers.length} answers to ${batches.length} batches`, "give one for each batch");
    }
    this.#encrypted.delete(encrypted.handle);
    const failures = /* @__PURE__ */ new Map();
    const [predictions, untrusted] = [[], new UntrustedAnswers()];
    const times = { encrypt: 0, roundtrip: 0, network: 0, queue: null, compute: null };
    for (const [index, { held, batch }] of batches.entries()) {
      const one = decrypt(this.info, held, batch, answers[index], times);
      predictions.push(...one.predictions);
      untrusted.add(one.distrust);
      failures.set(held, (failures.get(held) ?? 0) + (one.distrust ? 1 : 0));
      batch.free();
      held.release();
    }
    for (const [held, count] of failures) await (await this.session.ring()).settle(held, count);
    untrusted.check();
    return predictions;
  }
  async quantize(row) {
    const rows = toRows(this.model, this.info, [row]);
    try {
      return guarded(() => rows.quantized(0));
    } finally {
      rows.free();
    }
  }
  async decryptWithWrongKey(answer) {
    return JSON.parse(guarded(() => this.model.decryptWithWrongKey(answer)));
  }
  async memoryBytes() {
    return memoryBytes();
  }
  async close() {
    this.session.close();
    for (const { held, batch } of [...this.#encrypted.values()].flat()) {
      batch.free();
      held.release();
    }
    this.#encrypted.clear();
  }
  useStorage(choice) {
    return this.session.useStorage(choice);
  }
  async storageKind() {
    return (await this.session.ring()).store.kind;
  }
  async prepare(options) {
    const held = await this.session.open(options);
    return held.use(() => this.#report(held, options));
  }
  async rotate(options) {
    const before = await this.currentKey() ? await this.session.open({}) : void 0;
    before?.retain();
    if (before) this.session.drop(before);
    try {
      const held = await this.session.open(options, "asked");
      if (before) await this.session.forget(before);
      return await held.use(() => this.#report(held, options));
    } finally {
      before?.release();
    }
  }
  async currentKey() {
    return (await this.session.ring()).current();
  }
  async listKeys() {
    return (await this.session.ring()).list();
  }
  async deleteKey(model) {
    const ring = await this.session.ring();
    if (model !== void 0 && model !== this.info.id) {
      if (await ring.delete(model)) return;
      throw new FhectlError("key_unknown", "no key of a model with this id is stored here", "`list` has those that are");
    }
    if (await ring.current()) {
      const held = await this.session.open({}).catch(() => void 0);
      await held?.use(() => this.session.forget(held));
      if (held) this.session.drop(held);
    }
    await ring.delete(this.info.id);
  }
  async evaluation() {
    const held = await this.session.open({});
    return held.use(({ id, evaluation }) => ({ id, bytes: evaluation }));
  }
  async #report(held, options) {
    const brought = this.session.server ? await this.session.bring(held, options) : { seconds: 0, sent: 0 };
    return { ...held.report, upload: brought.seconds, sent: brought.sent };
  }
};

// src/remote.ts
var RemoteModel = class _RemoteModel {
  constructor(begin, url) {
    this.begin = begin;
    this.url = url;
  }
  begin;
  url;
  #worker;
  #starting;
  #waiting = /* @__PURE__ */ new Map();
  #ids = 0;
  #closed = false;
  /** Loads it in a new worker. Throws `WorkerUnavailable` where none can be started. */
  static async load(source, { signal, ...options }) {
    const ready = await compiled();
    const model = new _RemoteModel({ compiled: ready, source: cloneable(source), options }, workerUrl());
    try {
      const info = await model.#start(signal);
      return { model, info, simd: ready.simd };
    } catch (error) {
      model.#end(error);
      throw error;
    }
  }
  /** Calls a function of the model. Of its options, where it takes some, only what can be cloned goes there. */
  async call(call, args, given) {
    const options = given ?? {};
    if (given) args = [...args, { keepBytes: given.keepBytes ?? false }];
    if (this.#closed) throw new FhectlError("arguments", "the model was closed", "load it again");
    options.signal?.throwIfAborted();
    await this.#start(options.signal);
    const { value } = await this.#ask(
      (id) => ({ id, call, args, progress: options.onProgress !== void 0, abortable: options.signal !== void 0 }),
      options
    );
    return value;
  }
  async close() {
    if (this.#worker && !this.#closed) await this.call("close", []).catch(() => void 0);
    this.#closed = true;
    this.#end(new FhectlError("arguments", "the model was closed", "load it again"));
  }
  #start(signal) {
    this.#starting ??= (async () => {
      const worker = startWorker(this.url);
      this.#worker = worker;
      worker.onmessage = ({ data }) => this.#take(data);
      const died = (event) => {
        const why = event.message || `${this.url} cannot be loaded`;
        this.#end(new WorkerUnavailable(`the worker failed: ${why}`));
      };
      worker.onerror = died;
      worker.onmessageerror = died;
      const { info } = await this.#ask((id) => ({ id, call: "load", ...this.begin }), { signal });
      return info;
    })().catch((error) => {
      this.#end(error);
      throw error;
    });
    return this.#starting;
  }
  #ask(message, { signal, onProgress }) {
    const id = ++this.#ids;
    return new Promise((done2, fail) => {
      const abort = () => {
        this.#waiting.delete(id);
        this.#worker?.postMessage({ abort: id });
        fail(signal?.reason);
      };
      const over = () => signal?.removeEventListener("abort", abort);
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(id, {
        done: (value) => (over(), done2(value)),
        fail: (error) => (over(), fail(error)),
        onProgress
      });
      try {
        this.#worker?.postMessage(message(id));
      } catch (error) {
        this.#waiting.get(id)?.fail(error);
        this.#waiting.delete(id);
      }
    });
  }
  #take(message) {
    const waiting = this.#waiting.get(message.id);
    if ("progress" in message) {
      waiting?.onProgress?.(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if (!("error" in message)) {
      waiting?.done(message);
      return;
    }
    const error = revived(message.error);
    waiting?.fail(error);
    if (message.broken) this.#end(error);
  }
  /** Ends the worker; calls that wait for it fail. */
  #end(error) {
    this.#worker?.terminate();
    this.#worker = void 0;
    this.#starting = void 0;
    for (const waiting of this.#waiting.values()) waiting.fail(error);
    this.#waiting.clear();
  }
};
var WorkerUnavailable = class extends FhectlError {
  constructor(why) {
    super("internal", why, "serve worker.js from the page's own origin, or say `worker: false`");
  }
};
var policy;
function startWorker(url) {
  try {
    const types = globalThis.trustedTypes;
    policy ??= (types ?? { createPolicy: (_, rules) => rules }).createPolicy("fhectl", {
      createScriptURL: (given) => {
        if (given === url.href) return given;
        throw new TypeError("another script than the worker's");
      }
    });
    return new Worker(policy.createScriptURL(url.href), { type: "module" });
  } catch (error) {
    throw new WorkerUnavailable(`no worker can be started: ${error.message}`);
  }
}
function cloneable(source) {
  const absolute = (url) => new URL(url, globalThis.location?.href).href;
  if (typeof source === "string" || source instanceof URL) return absolute(source);
  return source.url === void 0 ? source : { ...source, url: absolute(source.url) };
}

// src/index.ts
var configure2 = configure;
var Model2 = { load };
async function load(source, options = {}) {
  const own = options.fetch !== void 0 || typeof options.storage === "object";
  const page = typeof document !== "undefined" && typeof Worker !== "undefined";
  if (options.worker ?? (page && !own)) {
    try {
      const { model: model2, info, simd } = await RemoteModel.load(source, options);
      return new LoadedModel(info, { worker: true, simd }, (...asked) => model2.call(...asked), () => model2.close());
    } catch (error) {
      if (options.worker || !(error instanceof WorkerUnavailable)) throw error;
    }
  }
  const model = await LocalModel.load(source, options);
  const call = (name, args, given) => {
    const own2 = model;
    return given ? own2[name](...args, given) : own2[name](...args);
  };
  return new LoadedModel(model.info, { worker: false, simd: model.simd }, call, () => model.close());
}
async function listModels2(url, options = {}) {
  await start();
  return listOf(serverOf(parseUrl(url).base, options), options.signal);
}
var LoadedModel = class {
  constructor(info, runtime, call, close) {
    this.info = info;
    this.runtime = runtime;
    this.call = call;
    this.close = close;
  }
  info;
  runtime;
  call;
  close;
  async keys(storage) {
    const kind = storage === void 0 ? await this.call("storageKind", []) : await this.call("useStorage", [storage]);
    return new ModelKeys(kind, this.call);
  }
  async predict(given, options = {}) {
    if (areRows(given)) return this.call("predict", [given], options);
    const [prediction] = await this.call("predict", [[given]], options);
    return prediction;
  }
  encrypt(rows) {
    return this.call("encrypt", [rows]);
  }
  decrypt(encrypted, answers) {
    return this.call("decrypt", [encrypted, answers]);
  }
  quantize(row) {
    return this.call("quantize", [row]);
  }
  decryptWithWrongKey(answer) {
    return this.call("decryptWithWrongKey", [answer]);
  }
  memoryBytes() {
    return this.call("memoryBytes", []);
  }
};
var ModelKeys = class {
  constructor(storage, call) {
    this.storage = storage;
    this.call = call;
  }
  storage;
  call;
  prepare(options = {}) {
    return this.call("prepare", [], options);
  }
  current() {
    return this.call("currentKey", []);
  }
  list() {
    return this.call("listKeys", []);
  }
  rotate(options = {}) {
    return this.call("rotate", [], options);
  }
  delete(model) {
    return this.call("deleteKey", [model]);
  }
  evaluation() {
    return this.call("evaluation", []);
  }
};
export {
  FhectlError,
  Model2 as Model,
  configure2 as configure,
  listModels2 as listModels
};
