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
  constructor(code, message, hint2 = null) {
    super(message);
    this.code = code;
    this.hint = hint2;
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
  constructor(bytes2) {
    const ptr0 = passArray8ToWasm0(bytes2, wasm.__wbindgen_malloc);
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
  askAgain(server2, encrypted) {
    _assertClass(encrypted, Encrypted);
    const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
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
  ask(server2, encrypted) {
    _assertClass(encrypted, Encrypted);
    const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_ask(this.__wbg_ptr, ptr0, len0, encrypted.__wbg_ptr);
    return Talk.__wrap(ret);
  }
  /**
   * As [`Keys::bring`], to a server that has forgotten them: the next batch has a tag.
   * @param {string} server
   * @returns {Talk}
   */
  bringAgain(server2) {
    const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.keys_bringAgain(this.__wbg_ptr, ptr0, len0);
    return Talk.__wrap(ret);
  }
  /**
   * Checks that a server runs the model and brings it the evaluation key.
   * @param {string} server
   * @returns {Talk}
   */
  bring(server2) {
    const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
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
  encrypt(rows, first, count2) {
    _assertClass(rows, Rows);
    const ret = wasm.keys_encrypt(this.__wbg_ptr, rows.__wbg_ptr, first, count2);
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
  forget(server2) {
    const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
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
  static fetch(server2, name, scores, accept_p_fail) {
    const val3 = +scores;
    const val4 = +(isLikeNone(accept_p_fail) ? 0 : accept_p_fail);
    let ptr0, len0, ptr1, len1;
    try {
      ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
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
  readKeyFile(bytes2) {
    const ptr0 = passArray8ToWasm0(bytes2, wasm.__wbindgen_malloc);
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
function listModels(server2) {
  const ptr0 = passStringToWasm0(server2, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
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
function decodeText(bytes2) {
  numBytesDecoded += bytes2.length;
  if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
    cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
    cachedTextDecoder.decode();
    numBytesDecoded = bytes2.length;
  }
  return cachedTextDecoder.decode(bytes2);
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
    const bytes2 = await module.arrayBuffer();
    return await WebAssembly.instantiate(bytes2, imports);
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
    const { code, message, hint: hint2 } = error;
    if (typeof code === "string") throw new FhectlError(code, String(message), hint2 ?? null);
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
async function converse(talk, server2, { signal, before } = {}) {
  for (; ; ) {
    signal?.throwIfAborted();
    before?.();
    const request = guarded(() => talk.request());
    const start2 = performance.now();
    const outcome2 = await send(server2, request, signal);
    const seconds2 = (performance.now() - start2) / 1e3;
    const pause = guarded(
      () => "lost" in outcome2 ? talk.lost(outcome2.transient, outcome2.lost) : talk.reply(outcome2.status, outcome2.headers, outcome2.body)
    );
    if (pause < 0) {
      before?.();
      return seconds2;
    }
    if (pause > 0) await sleep(pause, signal);
  }
}
async function send(server2, request, signal) {
  const headers = new Headers(request.headers);
  if (server2.token !== void 0) headers.set("authorization", `Bearer ${server2.token}`);
  const timeout = new AbortController();
  const end = () => timeout.abort();
  const timer = setTimeout(end, LONGEST);
  signal?.addEventListener("abort", end);
  try {
    const { method, body } = request;
    const { fetch: fetch2 } = server2;
    const reply = await fetch2(server2.base + request.path, { method, headers, body, cache: "no-store", signal: timeout.signal });
    const bytes2 = await readBounded(reply);
    if (!bytes2) return { lost: `the reply is longer than ${MAX_REPLY} bytes`, transient: false };
    return { status: reply.status, headers: [...reply.headers].flat(), body: bytes2 };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout.signal.aborted) return { lost: "it took too long", transient: false };
    return { lost: reason(error, server2.base), transient: true };
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
function serverOf(base, { token: token2, fetch: own }) {
  return { base, token: token2, fetch: own ?? ((...request) => fetch(...request)) };
}
async function fetchModel(server2, name, options) {
  if (!server2) throw new FhectlError("arguments", "neither a URL nor a client.zip was given", "give one of them to `Model.load`");
  const named = name ?? await onlyModel(server2, options);
  const talk = guarded(() => fhectl_wasm_exports.Model.fetch(server2.base, named, options.scores ?? false, options.acceptPFail));
  try {
    await converse(talk, server2, options);
    return guarded(() => talk.takeModel());
  } finally {
    talk.free();
  }
}
async function onlyModel(server2, options) {
  const names2 = (await listOf(server2, options.signal)).map(({ name }) => name);
  if (names2.length === 1) return names2[0];
  const which = names2.length === 0 ? "it serves none" : `it serves ${names2.slice(0, 20).join(", ")}`;
  throw new FhectlError("model_unnamed", `the URL names no model, and ${which}`, "give the model's URL: https://host/v1/models/NAME");
}
async function listOf(server2, signal) {
  const talk = guarded(() => fhectl_wasm_exports.listModels(server2.base));
  try {
    await converse(talk, server2, { signal });
    return JSON.parse(guarded(() => talk.takeList()) ?? "[]");
  } finally {
    talk.free();
  }
}

// src/batches.ts
var JOBS = 2;
function* batchesOf({ from, count: count2 }, { batchRows }) {
  for (let at = from; at < from + count2; at += batchRows) yield { at, count: Math.min(batchRows, from + count2 - at) };
}
async function ask(session, info, portion, rows, options, each) {
  const under = [];
  const { held } = portion;
  try {
    for (const { at, count: count2 } of batchesOf(portion, info)) {
      const job = held.use(() => askOne(session, info, held, rows, at, count2, options));
      job.catch(() => void 0);
      under.push(job);
      if (at === portion.from || under.length >= JOBS) each(await under.shift());
    }
    while (under.length > 0) each(await under.shift());
  } finally {
    await Promise.allSettled(under);
  }
}
async function askOne(session, info, held, rows, at, count2, options) {
  const server2 = session.needServer();
  const began = performance.now();
  const encrypted = guarded(() => held.keys.encrypt(rows, at, count2));
  const encrypt = (performance.now() - began) / 1e3;
  try {
    const { brought } = held;
    let { answer, roundtrip } = await converseOnce(guarded(() => held.keys.ask(server2.base, encrypted)), server2, options);
    if (!answer) {
      await session.bringAgain(held, brought, options);
      ({ answer, roundtrip } = await converseOnce(guarded(() => held.keys.askAgain(server2.base, encrypted)), server2, options));
    }
    if (!answer) throw new FhectlError("internal", "a talk ended without its answer");
    const { bytes: bytes2, queue, compute } = answer;
    answer.free();
    const network = Math.max(0, roundtrip - (queue ?? 0) - (compute ?? 0));
    const times = { encrypt, roundtrip, network, queue: queue ?? null, compute: compute ?? null };
    const kept = options.keepBytes ? { request: encrypted.bytes, answer: bytes2 } : void 0;
    return decrypt(info, held, encrypted, bytes2, times, kept);
  } finally {
    encrypted.free();
  }
}
async function converseOnce(talk, server2, options) {
  try {
    const roundtrip = await converse(talk, server2, options);
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
    const list3 = row;
    if (list3.length !== features.length) throw shape(`${list3.length} values, the model takes ${features.length}`);
    return Array.from(list3);
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
    const bytes2 = sealed && sealer ? await sealer.open(label(record), record) : record.secret.slice();
    try {
      return guarded(() => this.model.readKeyFile(bytes2));
    } finally {
      bytes2.fill(0);
    }
  }
  /** Makes a key in the place of the one of serial `before`. Where another tab was faster, its key counts. */
  async #make(before) {
    const secret = guarded(() => this.model.generateSecret());
    const made = Math.floor(Date.now() / 1e3);
    const file = guarded(() => this.model.writeKeyFile(secret, made));
    const { serial } = file;
    const bytes2 = file.bytes;
    file.free();
    const { id: model, name, circuit } = this.info;
    const { sealer } = this.store;
    const header = { model, name, circuit, serial, made, told: 0, failures: 0 };
    let record;
    if (sealer) {
      record = { ...header, ...await sealer.seal(label(header), bytes2) };
      bytes2.fill(0);
    } else {
      record = { ...header, secret: bytes2, nonce: null };
    }
    const there = await this.store.records.update(model, (other) => other?.serial === before ? record : other);
    if (there?.serial === serial) return { secret, serial };
    secret.free();
    if (!there) throw new FhectlError("keys_unwritable", "the stored key came and went", "try again");
    return { secret: await this.#unseal(there), serial: there.serial };
  }
  /** The evaluation key is kept too: its id is its hash, and making it again would make another, to be sent again. */
  async #join(secret, serial, { start: start2, ...state }) {
    const bytes2 = this.info.sizes.key;
    const { records } = this.store;
    const stored = bytes2 > 0 ? await records.readEvaluation(this.info.id, serial) : void 0;
    const usable = stored?.length === bytes2 ? stored : void 0;
    const evaluation = guarded(
      () => usable ? new fhectl_wasm_exports.EvaluationKey(usable) : this.model.generateEvaluation(secret)
    );
    let digest;
    if (bytes2 > 0) {
      if (!usable) await records.writeEvaluation(this.info.id, serial, view(evaluation.address, evaluation.length).slice());
      const subtle = globalThis.crypto?.subtle;
      if (subtle) digest = new Uint8Array(await subtle.digest("SHA-256", view(evaluation.address, evaluation.length)));
    }
    const keys = guarded(() => this.model.keys(secret, evaluation, digest));
    return new HeldKeys(keys, serial, { ...state, make: (performance.now() - start2) / 1e3, bytes: bytes2 });
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
  async writeEvaluation(model, serial, bytes2) {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.put(bytes2, `${model}.${serial}`)));
  }
  async deleteEvaluation(model, serial) {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.delete(`${model}.${serial}`)));
  }
  async seal(label2, bytes2) {
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const secret = await crypto.subtle.encrypt(algorithm(label2, nonce), this.#key, bytes2);
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
  const read2 = () => done(database.transaction(SEALS, "readonly").objectStore(SEALS).get("aes-gcm"));
  const there = await read2();
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
  async writeEvaluation(model, serial, bytes2) {
    this.#evaluations.set(`${model}.${serial}`, bytes2);
  }
  async deleteEvaluation(model, serial) {
    this.#evaluations.delete(`${model}.${serial}`);
  }
};

// src/session.ts
var Session = class {
  constructor(model, info, server2, options) {
    this.model = model;
    this.info = info;
    this.server = server2;
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
    let refused2 = 0;
    for (let from = 0; from < total; ) {
      const held = await this.open(options);
      held.retain();
      try {
        if (bring) await this.bring(held, options);
        options.signal?.throwIfAborted();
        const count2 = await (await this.ring()).takeRows(held, total - from);
        if (count2 > 0) yield { held, from, count: count2 };
        from += count2;
        if (from < total) {
          this.drop(held);
          if (bring) await this.forget(held);
        }
        refused2 = count2 === 0 ? refused2 + 1 : 0;
      } finally {
        held.release();
      }
      if (refused2 > 2) throw new FhectlError("key_used_up", "no key could be had that may answer more rows", "try again");
    }
  }
  /** Checks that the server runs the model and brings it the keys, once for those that are held. */
  bring(held, options, again = false) {
    const { onProgress, signal } = options;
    const server2 = this.needServer();
    if (held.brought) {
      return held.brought.catch((error) => {
        if (error?.name === "AbortError" && !signal?.aborted) return this.bring(held, options, again);
        throw error;
      });
    }
    held.brought = held.use(async (keys) => {
      const start2 = performance.now();
      const talk = guarded(() => again ? keys.bringAgain(server2.base) : keys.bring(server2.base));
      try {
        const before = () => {
          const [done2, total] = guarded(() => talk.uploaded());
          if (total > 0) onProgress?.({ stage: "upload", done: done2, total });
        };
        await converse(talk, server2, { signal, before });
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
    const { server: server2 } = this;
    if (!server2) return;
    const talk = guarded(() => held.keys.forget(server2.base));
    if (!talk) return;
    await converse(talk, server2).catch(() => void 0);
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
    const server2 = found && serverOf(found.base, options);
    const model = clientZip ? guarded(() => new fhectl_wasm_exports.Model(new Uint8Array(clientZip), options.scores ?? false, options.acceptPFail)) : await fetchModel(server2, name ?? found?.name, options);
    const info = JSON.parse(guarded(() => model.info()));
    return new _LocalModel(info, simd, model, new Session(model, info, server2, options));
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
        for (const { at, count: count2 } of batchesOf(portion, this.info)) {
          const batch = guarded(() => held.keys.encrypt(rows, at, count2));
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
    for (const [held, count2] of failures) await (await this.session.ring()).settle(held, count2);
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
      return new LoadedModel(info, { worker: true, simd }, (...asked3) => model2.call(...asked3), () => model2.close());
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

// ../page/src/dom.ts
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== void 0) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child instanceof Node || typeof child === "string"));
  return element;
}
function button(text, action, attributes = {}) {
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", action);
  return element;
}
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}
var names = 0;
function freshId() {
  return `e${names++}`;
}
function announce(text) {
  byId("status").textContent = text;
}
function download(name, parts, type) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 6e4);
}

// ../page/src/format.ts
var PLAIN = new Intl.NumberFormat("en-US");
var SHORT = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
function count(number2, one, many = `${one}s`) {
  return `${PLAIN.format(number2)} ${number2 === 1 ? one : many}`;
}
function bytes(size) {
  if (size < 1e3) return count(size, "byte");
  const [unit, name] = size < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
  return `${(size / unit).toFixed(size / unit < 100 ? 1 : 0)} ${name}`;
}
function seconds(time) {
  const ms = time * 1e3;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1e3 ? `${ms.toFixed(0)} ms` : `${time.toFixed(2)} s`;
}
function number(value) {
  return SHORT.format(value);
}
function percent(share) {
  return `${(share * 100).toFixed(share > 5e-4 && share < 0.9995 ? 1 : 0)} %`;
}
function hexDump(data, most, width) {
  const lines = [];
  for (let at = 0; at < Math.min(most, data.length); at += width) {
    const line = Array.from(data.subarray(at, Math.min(at + width, most)), (byte) => byte.toString(16).padStart(2, "0"));
    lines.push(`${at.toString(16).padStart(4, "0")}  ${line.join(" ")}`);
  }
  return lines.join("\n");
}
function listed(names2, most) {
  const rest = names2.length > most ? ` and ${names2.length - most} more` : "";
  return `${names2.slice(0, most).join(", ")}${rest}`;
}
function plainly(message) {
  return message.replaceAll("`", "");
}
function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return text === "" || /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

// ../page/src/hints.ts
var DELETE_KEY = "Delete the key under “Your keys”; the next prediction makes another.";
var OPERATOR = "Ask the server's operator.";
var HINTS = {
  answers_untrusted: "Use no answer of this run before the cause is found: where it is the key, others were wrong without a sign. Ask the server's operator, and give no sign of it to a server that you do not trust.",
  arguments: "Load the page again.",
  batch_too_large: "Send fewer rows at once.",
  body_too_large: "Send fewer rows at once.",
  failure_rate: "Answers of this model may be wrong more often than this page accepts. Its author can make one that is more exact.",
  format_version: "Load the page again: it and the server are of different releases.",
  internal: "Load the page again. If that does not help, it is a fault of fhectl.",
  key_damaged: DELETE_KEY,
  key_file_invalid: DELETE_KEY,
  key_file_version: DELETE_KEY,
  key_invalid: DELETE_KEY,
  key_mismatch: DELETE_KEY,
  key_too_large: DELETE_KEY,
  key_unknown: "The key was deleted or replaced meanwhile. Ask again: another one is used then.",
  key_used_up: "Rotate the key under “Your keys”, then ask again.",
  keys_unwritable: "Let this site store data in your browser, and check that there is room.",
  model_unknown: "The server has other models: choose one of the list.",
  model_unnamed: "Choose a model of the list.",
  no_server: "Check your connection, and that the server runs.",
  origin_refused: `The server answers no pages from this address. ${OPERATOR}`,
  part_conflict: DELETE_KEY,
  part_invalid: DELETE_KEY,
  quota_exceeded: `Your token's room for keys at the server is used up. Delete keys that you no longer use, or ask the server's operator.`,
  rate_limited: "Wait a while, then ask again.",
  reply_invalid: "Load the page again: it and the server are of different releases, or what answers is no fhectl server.",
  row_budget_spent: `Your token's rows for this model are used up. ${OPERATOR}`,
  row_shape: "Give a value for each of the model's features.",
  row_value: "Fill in or correct the value; this model takes no other.",
  server_error: `The server failed, or what answers is no fhectl server. ${OPERATOR}`,
  store_failed: OPERATOR,
  store_unavailable: "Wait a while, then ask again.",
  unauthorized: "Give a token of this server: the button “Token” is at the top of the page. The server's operator gives it out.",
  uid_unknown: DELETE_KEY,
  url_invalid: "The page was made for an address that is none. Whoever gave you the page can make it again.",
  wrong_model: "Load the page again: the server has another model by this name now."
};
var PASSING = /* @__PURE__ */ new Set([
  "body_broken",
  "busy",
  "deadline",
  "draining",
  "internal",
  "key_incomplete",
  "key_unknown",
  "no_server",
  "rate_limited",
  "reply_invalid",
  "server_error",
  "store_failed",
  "store_unavailable",
  "timeout",
  "unexpected"
]);
var ELSEWHERE = /`|--[a-z]|\b(?:GET|PUT|POST|DELETE) |FHECTL_|\bfhectl [a-z]|\.(?:zip|md|json)\b|\bheader\b/;
function hintOf(code, given) {
  return HINTS[code] ?? (given !== null && !ELSEWHERE.test(given) ? given : null);
}
function mayPass(code) {
  return PASSING.has(code);
}

// ../page/src/errors.ts
function codeOf(error) {
  return error instanceof FhectlError ? error.code : "unexpected";
}
function errorNote(error, again) {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const hint2 = hintOf(code, error instanceof FhectlError ? error.hint : null);
  announce(`Error: ${plainly(message)}`);
  return h(
    "div",
    { class: "note bad", role: "alert" },
    h("p", {}, h("strong", {}, ...withCode(sentence(message)))),
    hint2 !== null && h("p", {}, sentence(hint2)),
    code.startsWith("model_un") && h("p", {}, h("a", { href: "#/" }, "All models")),
    h("p", { class: "hint" }, "Code: ", h("code", {}, code)),
    mayPass(code) && again && button("Try again", again)
  );
}
function withCode(text) {
  return text.split("`").map((part, at) => at % 2 === 1 ? h("code", {}, part) : part);
}

// ../page/src/models_list.ts
function modelsList(models2, chosen) {
  const items = models2.map(
    (model) => h(
      "li",
      {},
      h(
        "a",
        { href: modelLink(model.name), class: "model", "aria-current": model.name === chosen ? "page" : null },
        h("span", { class: "model-name" }, model.name),
        h("span", { class: "hint" }, task(model))
      )
    )
  );
  return [h("h2", {}, count(models2.length, "model")), h("ul", {}, ...items)];
}
function modelLink(name) {
  return `#/${encodeURIComponent(name)}`;
}
function modelInAddress() {
  const match = /^#\/(.+)$/.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]) : null;
  } catch {
    return null;
  }
}
function task(model) {
  const features = count(model.features, "feature");
  return model.classes.length > 0 ? `${features}, ${count(model.classes.length, "class", "classes")}` : `${features}, a number`;
}

// ../page/src/answer.ts
var MOST_BARS = 12;
var UNITS = { probability: "Probability", share: "Share of trees", margin: "Margin", score: "Score" };
function answerText(info, prediction) {
  const said = saidOf(prediction, number, "nothing");
  return numbered(info) ? `${info.target}: ${said}` : said;
}
function saidOf(prediction, write, nothing = "") {
  return prediction.class ?? (prediction.value === null ? nothing : write(prediction.value));
}
function numbered(info) {
  return info.target !== "" && (info.classes?.every((name) => /^-?\d+$/.test(name)) ?? false);
}
function answerView(info, prediction) {
  const said = saidOf(prediction, number, "nothing");
  const scores = prediction.classScores;
  return h(
    "div",
    { class: "answer" },
    h(
      "p",
      { class: "answer-head" },
      numbered(info) ? h("span", { class: "target said-of" }, `${info.target}: `) : h("span", { class: "target" }, info.target || "Answer"),
      h("output", { class: "said" }, said)
    ),
    scores !== null && info.classes !== null && bars(info.classes, scores, info.scoreUnit, prediction.classIndex),
    scores === null && info.classes !== null && h("p", { class: "hint" }, "This network tells its class only: exact scores would tell of your key."),
    prediction.outside.length > 0 && h(
      "p",
      { class: "note" },
      `Beyond what the model knows, so the nearest end of its range was taken: ${listed(prediction.outside, 8)}.`
    )
  );
}
function bars(classes, scores, unit, chosen) {
  const shares = unit === "probability" || unit === "share";
  const most = shares ? 1 : Math.max(...scores.map(Math.abs), 1e-12);
  let order = classes.map((_, at) => at);
  if (order.length > MOST_BARS) order = order.sort((a, b) => scores[b] - scores[a]).slice(0, MOST_BARS);
  const rows = order.map((at) => {
    const score = scores[at];
    const bar = h("span", { class: score < 0 ? "bar negative" : "bar" });
    bar.style.setProperty("--share", String(Math.min(1, Math.abs(score) / most)));
    return h(
      "tr",
      { class: at === chosen ? "chosen" : null },
      h("th", { scope: "row" }, classes[at], at === chosen && h("span", { class: "visually-hidden" }, " (the answer)")),
      h("td", { class: "bar-cell" }, bar),
      h("td", { class: "figure" }, shares ? percent(score) : number(score))
    );
  });
  const head = ["Class", "", UNITS[unit]].map((text) => text === "" ? h("td") : h("th", { scope: "col" }, text));
  return h("table", { class: "bars" }, h("thead", { class: "visually-hidden" }, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

// ../page/src/break_it.ts
var AT_ONCE = 6;
var MOST_SCORES = 6;
function breakItView(model, prediction) {
  const { answer } = prediction.exchange;
  if (answer === null) return null;
  const tries = h("ol", { class: "tries" });
  const told = h("p", { class: "hint" }, "None tried yet.");
  let tried = 0;
  const attempt = async () => {
    again.disabled = true;
    try {
      const views = [];
      for (let one = 0; one < AT_ONCE; one++) views.push(await model.decryptWithWrongKey(answer));
      tried += AT_ONCE;
      tries.replaceChildren(...views.map((view2) => wrongView(model.info, view2)));
      told.textContent = `${count(tried, "key")} tried. None knows whether it is right, and none says anything of your row.`;
      announce(`Wrong keys say ${views.map((view2) => outcome(view2)).join(", ")}`);
    } catch (error) {
      tries.replaceChildren(h("li", {}, errorNote(error)));
    }
    again.disabled = false;
  };
  const again = button(`Try ${AT_ONCE} wrong keys`, () => void attempt());
  return h(
    "section",
    { class: "card break-it", "aria-labelledby": "break-title" },
    h("h3", { id: "break-title" }, "Break it"),
    h("p", {}, "The same encrypted answer, opened with keys that are drawn at random. That is as far as the server gets."),
    h(
      "div",
      { class: "pair" },
      h("div", { class: "side" }, h("h4", {}, "Your key"), answerView(model.info, prediction)),
      h("div", { class: "side" }, h("h4", {}, "Other keys"), tries, told, again)
    )
  );
}
function outcome(view2) {
  if (!view2.decrypts) return "nothing";
  return view2.class ?? (view2.value === null ? "noise" : number(view2.value));
}
function wrongView(info, view2) {
  const scores = view2.scores.slice(0, MOST_SCORES).map(String);
  const more3 = view2.scores.length > MOST_SCORES ? ", …" : "";
  const text = scores.length > 0 && info.classes !== null ? `${scores.join(", ")}${more3}` : "";
  return h("li", {}, h("strong", { class: "noise" }, outcome(view2)), text !== "" && h("span", { class: "mono" }, text));
}

// ../page/src/examples.ts
function arc(x, y, rx, ry, from, to) {
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) * 32));
  return Array.from({ length: steps + 1 }, (_, at) => {
    const angle = (from + (to - from) * at / steps) * 2 * Math.PI;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
}
var DIGITS = [
  [arc(0.5, 0.5, 0.2, 0.32, -0.25, 0.75)],
  [[[0.47, 0.24], [0.52, 0.18], [0.5, 0.82]]],
  [[...arc(0.5, 0.36, 0.19, 0.18, -0.47, 0.08), [0.32, 0.8], [0.72, 0.8]]],
  [[...arc(0.48, 0.34, 0.18, 0.16, -0.42, 0.22), ...arc(0.48, 0.66, 0.2, 0.17, -0.22, 0.42)]],
  [[[0.36, 0.2], [0.3, 0.52], [0.7, 0.5]], [[0.66, 0.2], [0.6, 0.84]]],
  [[[0.7, 0.2], [0.38, 0.2], [0.35, 0.47], ...arc(0.48, 0.63, 0.2, 0.19, -0.32, 0.4)]],
  [[[0.6, 0.17], [0.42, 0.36], [0.33, 0.58], ...arc(0.5, 0.66, 0.17, 0.17, 0.5, -0.5)]],
  [[[0.3, 0.22], [0.7, 0.22], [0.44, 0.82]]],
  [[...arc(0.5, 0.34, 0.15, 0.15, 0.25, -0.75), ...arc(0.5, 0.66, 0.18, 0.17, -0.25, 0.75)]],
  [[...arc(0.5, 0.37, 0.17, 0.18, -0.05, -1), [0.66, 0.4], [0.6, 0.84]]]
];
function digitStrokes(name) {
  return /^[0-9]$/.test(name) ? DIGITS[Number(name)] : null;
}

// ../page/src/strokes.ts
var FINE = 8;
function rasterize(strokes, width, height) {
  const large = Math.min(width, height) >= 16;
  const pen = large ? 2.4 * (Math.min(width, height) / 28) : 1.25 * (Math.min(width, height) / 8);
  const box = large ? Math.min(width, height) * 20 / 28 : Math.min(width, height);
  const ink = new Float64Array(width * height);
  const points = strokes.flat();
  if (points.length === 0) return { width, height, ink };
  const [left, right] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const [top, bottom] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  const scale = (box - pen) / Math.max(right - left, bottom - top, 0.12);
  const placed = strokes.map(
    (stroke) => stroke.map(([x, y]) => [
      width / 2 + (x - (left + right) / 2) * scale,
      height / 2 + (y - (top + bottom) / 2) * scale
    ])
  );
  const drawn = draw(placed, width, height, pen);
  if (!large) return drawn;
  const [dx, dy] = offCenter(drawn);
  return draw(placed.map((stroke) => stroke.map(([x, y]) => [x - dx, y - dy])), width, height, pen);
}
function offCenter({ width, height, ink }) {
  let [sum, x, y] = [0, 0, 0];
  ink.forEach((value, at) => {
    sum += value;
    x += value * (at % width + 0.5);
    y += value * (Math.floor(at / width) + 0.5);
  });
  return sum === 0 ? [0, 0] : [x / sum - width / 2, y / sum - height / 2];
}
function draw(strokes, width, height, pen) {
  const [wide, high] = [width * FINE, height * FINE];
  const fine = new Uint8Array(wide * high);
  const radius = pen / 2;
  for (const stroke of strokes) {
    stroke.forEach((end, at) => {
      const begin = stroke[Math.max(at - 1, 0)];
      const reach = (from, to, most) => [
        Math.max(0, Math.floor((Math.min(from, to) - radius) * FINE)),
        Math.min(most - 1, Math.ceil((Math.max(from, to) + radius) * FINE))
      ];
      const [x0, x1] = reach(begin[0], end[0], wide);
      const [y0, y1] = reach(begin[1], end[1], high);
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          if (distance([(x + 0.5) / FINE, (y + 0.5) / FINE], begin, end) <= radius) fine[y * wide + x] = 1;
        }
      }
    });
  }
  const ink = new Float64Array(width * height);
  fine.forEach((value, at) => {
    const [x, y] = [Math.floor(at % wide / FINE), Math.floor(at / wide / FINE)];
    ink[y * width + x] += value / (FINE * FINE);
  });
  return { width, height, ink };
}
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

// ../page/src/draw.ts
var SIDE = 560;
var STEP = 0.03;
var DrawingPad = class {
  element;
  /** The lowest and the highest value of a pixel, and how many values the model tells apart. */
  #range;
  #painting = false;
  #image;
  #strokes = [];
  #pen = [0.5, 0.5];
  #keyboardDown = false;
  #keyboardUsed = false;
  #changed;
  #pad = h("canvas", { width: SIDE, height: SIDE, class: "pad", tabindex: 0, role: "img" });
  #preview;
  #empty = h("p", { class: "note bad", role: "alert", hidden: true }, "Draw something first.");
  /** `predict` is called with the row of the drawing, `changed` when the drawing is another. */
  constructor(info, image, { predict, changed }) {
    this.#changed = changed;
    const known = (values) => values.filter((value) => value !== null);
    this.#range = {
      low: Math.min(...known(info.features.map((feature) => feature.low))),
      high: Math.max(...known(info.features.map((feature) => feature.high))),
      levels: Math.max(...info.features.map((feature) => feature.levels ?? 2), 2)
    };
    this.#image = image;
    const { height, width } = image;
    this.#preview = h("canvas", { width, height, class: "preview", role: "img", "aria-label": "What the model sees: nothing yet" });
    this.#pad.setAttribute("aria-label", "Drawing area. Arrow keys move the pen, space puts it down and lifts it, Escape clears");
    this.#listen();
    const examples = (info.classes ?? []).filter((name) => digitStrokes(name) !== null);
    const send2 = button("Encrypt and predict", () => this.#send(predict), { class: "primary" });
    this.element = h(
      "div",
      { class: "draw" },
      h("figure", { class: "draw-pad" }, this.#pad, h("figcaption", {}, "Draw here")),
      // Next to the pad: who draws on a phone sees the button.
      h(
        "div",
        { class: "draw-actions" },
        this.#empty,
        h(
          "div",
          { class: "row wrap" },
          send2,
          button("Undo", () => this.load(this.#strokes.slice(0, -1)), { class: "quiet" }),
          button("Clear", () => this.load([]), { class: "quiet" })
        )
      ),
      h("figure", { class: "draw-preview" }, this.#preview, h("figcaption", {}, `What the model sees: ${width} × ${height}`)),
      examples.length > 0 && this.#exampleButtons(examples)
    );
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const recolor = () => this.element.isConnected ? this.#paint() : theme.removeEventListener("change", recolor);
    theme.addEventListener("change", recolor);
    this.#paint();
  }
  /** Takes the place of what was drawn. */
  load(strokes) {
    this.#strokes = strokes.map((stroke) => [...stroke]);
    this.#drawn();
  }
  #drawn() {
    if (this.#strokes.length > 0) this.#empty.hidden = true;
    this.#changed();
    this.#paint();
  }
  /** The row of the drawing: each pixel from its feature's lowest value, without ink, to its highest. */
  row() {
    const { ink } = rasterize(this.#strokes, this.#image.width, this.#image.height);
    const { low, high } = this.#range;
    return ink.map((share) => low + share * (high - low));
  }
  #exampleButtons(names2) {
    const buttons = names2.map(
      (name) => button(name, () => this.load(digitStrokes(name) ?? []), { class: "quiet digit", "aria-label": `Draw an example: ${name}` })
    );
    return h("div", { class: "row wrap digits" }, h("span", { class: "hint" }, "Examples"), ...buttons);
  }
  #send(predict) {
    this.#empty.hidden = this.#strokes.length > 0;
    if (this.#strokes.length > 0) predict(this.row());
  }
  #listen() {
    const at = (event) => {
      const area = this.#pad.getBoundingClientRect();
      return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    };
    this.#pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.#pad.focus({ preventScroll: true });
      this.#pad.setPointerCapture(event.pointerId);
      this.#keyboardUsed = false;
      this.#strokes.push([at(event)]);
      this.#drawn();
    });
    this.#pad.addEventListener("pointermove", (event) => {
      if (!this.#pad.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.#strokes.at(-1)?.push(...(events.length > 0 ? events : [event]).map(at));
      this.#drawn();
    });
    this.#pad.addEventListener("keydown", (event) => this.#key(event));
    this.#pad.addEventListener("blur", () => {
      this.#keyboardDown = this.#keyboardUsed = false;
      this.#paint();
    });
  }
  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      const clamp = (value) => Math.min(1, Math.max(0, value));
      this.#pen = [clamp(this.#pen[0] + move[0] * STEP), clamp(this.#pen[1] + move[1] * STEP)];
      if (this.#keyboardDown) {
        this.#strokes.at(-1)?.push(this.#pen);
        this.#drawn();
      }
    } else if (event.key === " ") {
      this.#keyboardDown = !this.#keyboardDown;
      if (this.#keyboardDown) {
        this.#strokes.push([this.#pen]);
        this.#drawn();
      }
      announce(this.#keyboardDown ? "Pen down" : "Pen up");
    } else if (event.key === "Escape") {
      this.load([]);
      announce("Cleared");
    } else return;
    event.preventDefault();
    this.#keyboardUsed = true;
    this.#paint();
  }
  /** Paints before the browser shows its next picture: pens have more points than that. */
  #paint() {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#paintNow();
    });
  }
  #paintNow() {
    const styles = getComputedStyle(this.#pad);
    const [ink, paper, pen] = ["--ink", "--field", "--tab"].map((name) => styles.getPropertyValue(name).trim() || "black");
    const context = this.#pad.getContext("2d");
    context.fillStyle = paper;
    context.fillRect(0, 0, SIDE, SIDE);
    Object.assign(context, { strokeStyle: ink, lineWidth: SIDE / 16, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.#strokes) {
      context.beginPath();
      for (const [x, y] of stroke.length === 1 ? [stroke[0], stroke[0]] : stroke) context.lineTo(x * SIDE, y * SIDE);
      context.stroke();
    }
    if (this.#keyboardUsed) {
      context.fillStyle = pen;
      context.beginPath();
      context.arc(this.#pen[0] * SIDE, this.#pen[1] * SIDE, SIDE / 40, 0, 2 * Math.PI);
      context.fill();
    }
    this.#paintPreview();
  }
  #paintPreview() {
    const { height, width } = this.#image;
    const { ink } = rasterize(this.#strokes, width, height);
    const { levels } = this.#range;
    const context = this.#preview.getContext("2d");
    const image = context.createImageData(width, height);
    ink.forEach((share, at) => {
      const seen = Math.round(share * (levels - 1)) / (levels - 1);
      image.data.set([255 * seen, 255 * seen, 255 * seen, 255], at * 4);
    });
    context.putImageData(image, 0, 0);
    const inked = ink.filter((share) => share > 0).length;
    const said = inked === 0 ? "nothing yet" : `${inked} of ${width * height} pixels have ink`;
    this.#preview.setAttribute("aria-label", `What the model sees: ${said}`);
  }
};

// ../page/src/cells.ts
var MISSING = /* @__PURE__ */ new Set(["", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "?", "-", "<na>"]);
var YES = /* @__PURE__ */ new Set(["true", "t", "yes", "y", "on", "1", "1.0"]);
var NO = /* @__PURE__ */ new Set(["false", "f", "no", "n", "off", "0", "0.0"]);
function truthOf(text) {
  const word = text.toLowerCase();
  return YES.has(word) ? true : NO.has(word) ? false : null;
}
function isMissing(text) {
  return text.length <= 4 && MISSING.has(text.toLowerCase());
}
function isNumber(text) {
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
}
function cellOf(feature, text) {
  const plain2 = text.trim();
  if (feature.kind === "text") return plain2;
  if (feature.kind === "category" && feature.categories?.includes(plain2)) return plain2;
  if (isMissing(plain2)) return null;
  if (feature.kind === "number") {
    if (!isNumber(plain2)) throw refused(feature, plain2, `is not a number${numberHint(plain2)}`);
    return Number(plain2);
  }
  if (feature.kind === "boolean") {
    const truth = truthOf(plain2);
    if (truth === null) throw refused(feature, plain2, "is neither yes nor no");
    return truth;
  }
  return plain2;
}
function refused(feature, text, what) {
  return new Error(`${feature.name}: “${text.slice(0, 40)}” ${what}`);
}
function numberHint(text) {
  if (/^[\u2212\u2013\ufe63\uff0d]/.test(text) && isNumber(text.slice(1))) return ": its minus is a dash; write the plain hyphen, -";
  if (/^[-+]?\d{1,3}(?:[ \u00a0\u202f'\u2019.,]\d{3})+(?:[.,]\d+)?$/.test(text)) return ": write it without separators of thousands";
  if (/^[-+]?\d+,\d+$/.test(text)) return ": write it with a decimal point";
  if (/%$/.test(text)) return ": write it without the percent sign";
  if (/[$€£¥]/.test(text)) return ": write it without the currency's sign";
  return "";
}
function randomCell(feature) {
  const { categories, low, high, levels } = feature;
  if (categories && categories.length > 0) return categories[Math.floor(Math.random() * categories.length)];
  if (feature.kind === "boolean") return Math.random() < 0.5;
  if (feature.kind !== "number" || low === null || high === null) return feature.example;
  const share = Math.random() ** 2;
  const steps = levels && levels > 1 ? Math.round(share * (levels - 1)) / (levels - 1) : share;
  return Number((low + steps * (high - low)).toPrecision(4));
}

// ../page/src/field.ts
function controlOf(feature) {
  const id = freshId();
  const choices = feature.categories ?? (feature.kind === "boolean" ? ["true", "false"] : null);
  if (choices) {
    const options = choices.map((choice) => h("option", { value: choice }, choice));
    return h("select", { id, "aria-describedby": `${id}-range` }, h("option", { value: "" }, "(missing)"), ...options);
  }
  const type = { number: "text", date: "date", text: "text", boolean: "text", category: "text" }[feature.kind];
  const inputmode = feature.kind === "number" && feature.low !== null && feature.low >= 0 ? "decimal" : null;
  return h("input", { id, type, inputmode, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-range` });
}
function fieldOf(feature, control) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id, title: feature.name }, feature.name),
    control,
    h("span", { class: "hint", id: `${control.id}-range` }, range(feature))
  );
}
function written(cell) {
  return String(typeof cell === "number" ? Number(cell.toPrecision(6)) : cell);
}
function range({ kind, low, high, categories }) {
  if (categories) return count(categories.length, "category", "categories");
  if (low !== null && high !== null) return `${number(low)} to ${number(high)}`;
  return { number: "a number", boolean: "yes or no", date: "a date", text: "words", category: "a category" }[kind];
}

// ../page/src/judge.ts
function refusalOf(error) {
  if (!(error instanceof FhectlError) || error.code !== "row_value") return null;
  return error.message.replace(/^row 1: /, "");
}

// ../page/src/form.ts
var FIRST = 12;
var FeatureForm = class {
  element;
  #info;
  #uses;
  #controls;
  #more;
  #problem = h("p", { class: "note bad", role: "alert", id: freshId(), hidden: true });
  constructor(info, uses) {
    this.#info = info;
    this.#uses = uses;
    this.#controls = info.features.map(controlOf);
    const fields = info.features.map((feature, at) => fieldOf(feature, this.#controls[at]));
    const [first, rest] = [fields.slice(0, FIRST), fields.slice(FIRST)];
    this.#more = rest.length > 0 ? more(rest) : null;
    const form = h(
      "form",
      { class: "features", novalidate: true },
      h(
        "div",
        { class: "row wrap" },
        button("Example", () => this.fill(info.features.map((feature) => feature.example)), { class: "quiet", "aria-label": "Fill in an example" }),
        button("Random", () => this.fill(info.features.map(randomCell)), { class: "quiet", "aria-label": "Fill in random values" }),
        button("Clear", () => this.fill(info.features.map(() => null)), { class: "quiet", "aria-label": "Clear all values" })
      ),
      h("div", { class: "fields" }, ...first),
      this.#more,
      this.#problem,
      h("button", { type: "submit", class: "primary" }, "Encrypt and predict")
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    form.addEventListener("input", (event) => {
      this.#good(event.target);
      uses.changed();
    });
    this.element = form;
    this.fill(info.features.map((feature) => feature.example));
  }
  /** Puts a cell into each field. */
  fill(cells) {
    this.#controls.forEach((control, at) => {
      const cell = cells[at];
      control.value = cell === null || cell === void 0 ? "" : written(cell);
      this.#good(control);
    });
    this.#uses.changed();
  }
  async #submit() {
    const bad = [];
    const row = this.#info.features.map((feature, at) => {
      try {
        return cellOf(feature, this.#controls[at].value);
      } catch (error) {
        bad.push([this.#controls[at], error instanceof Error ? error.message : String(error)]);
        return null;
      }
    });
    if (bad.length === 0) bad.push(...await this.#refused(row));
    for (const control of this.#controls) this.#good(control);
    if (bad.length > 0) this.#point(bad);
    else this.#uses.predict(row);
  }
  /** The field that the model refuses, be it because it has no rule for a missing value. Other errors are told when it is asked. */
  async #refused(row) {
    try {
      await this.#uses.judge(row);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) return [];
      const named = this.#info.features.findIndex(({ name }) => refusal.includes(`\`${name}\``));
      const at = named >= 0 ? named : row.findIndex((cell) => cell === null);
      const control = this.#controls[Math.max(at, 0)];
      return [[control, plainly(refusal)]];
    }
    return [];
  }
  /** Says what is wrong, marks the fields, and leads to the first of them. */
  #point(bad) {
    for (const [control2] of bad) {
      control2.setAttribute("aria-invalid", "true");
      control2.setAttribute("aria-describedby", `${control2.id}-range ${this.#problem.id}`);
    }
    const [control, what] = bad[0];
    const others = bad.length > 1 ? ` (and ${count(bad.length - 1, "other field")})` : "";
    this.#problem.textContent = `${what}${others}`;
    this.#problem.hidden = false;
    if (this.#more?.contains(control)) this.#more.open = true;
    control.focus();
  }
  #good(control) {
    if (control.getAttribute("aria-invalid") === null) return;
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", `${control.id}-range`);
    if (!this.#controls.some((one) => one.getAttribute("aria-invalid") !== null)) this.#problem.hidden = true;
  }
};
function more(rest) {
  return h(
    "details",
    { class: "more" },
    h("summary", {}, count(rest.length, "more feature")),
    h("div", { class: "fields" }, ...rest)
  );
}

// ../page/src/fresh.ts
var Freshness = class {
  /** Stands before the answer. */
  note = h("p", { class: "note stale-note", hidden: true });
  #result;
  #titles;
  #shown = 0;
  /** How often each way's input was changed. */
  #changes;
  #asked = null;
  #answered = false;
  constructor(result, titles) {
    this.#result = result;
    this.#titles = titles;
    this.#changes = titles.map(() => 0);
  }
  /** The input of a way is another. */
  changed(way) {
    this.#changes[way] += 1;
    this.#update();
  }
  /** Another way is looked at. */
  shown(way) {
    this.#shown = way;
    this.#update();
  }
  /** What stands in the page now was asked. */
  asked() {
    this.#asked = { way: this.#shown, changes: this.#changes[this.#shown] };
    this.#answered = false;
    this.#update();
  }
  /** What was asked is answered, or has failed. */
  answered() {
    this.#answered = true;
    this.#update();
  }
  #why() {
    if (!this.#answered || !this.#asked || !this.#result.hasChildNodes()) return null;
    const { way, changes } = this.#asked;
    if (way !== this.#shown) return `The answer below is to what was asked under “${this.#titles[way]}”.`;
    return changes === this.#changes[way] ? null : "What you ask has changed since the answer below.";
  }
  #update() {
    const why = this.#why();
    if (why !== null && this.note.textContent !== why) announce(why);
    this.note.textContent = why ?? "";
    this.note.hidden = why === null;
    this.#result.classList.toggle("stale", why !== null);
  }
};

// ../page/src/journey.ts
var SHOWN = 96;
var SHOWN_CELLS = 48;
function journeyView(travelled) {
  const { info, prediction, quantized, host } = travelled;
  const { times, requestBytes, answerBytes, request, answer } = prediction.exchange;
  const step = (place, title, time, ...rest) => h(
    "li",
    { class: `step ${place}` },
    h("h4", {}, title, time !== null && h("span", { class: "time" }, time)),
    ...rest
  );
  const told = times.queue !== null && times.compute !== null;
  return h(
    "section",
    { class: "card journey", "aria-labelledby": "journey-title" },
    h("h3", { id: "journey-title" }, "Its journey"),
    timeBar(prediction.exchange),
    h(
      "ol",
      { class: "steps" },
      step("tab", "Your row, in this tab", null, rowText(quantized, info.image !== null), hint("As small integers, which is how the model reads it.")),
      step(
        "wire",
        `Encrypted: ${bytes(requestBytes)}`,
        seconds(times.encrypt),
        request !== null && dump(request, "The first bytes of the request"),
        hint("Fresh randomness each time: the same row never looks the same twice.")
      ),
      step("server", `What ${host} sees`, told ? seconds(times.queue + times.compute) : null, serverSees(travelled, told)),
      step(
        "wire",
        `The answer, still encrypted: ${bytes(answerBytes)}`,
        null,
        answer !== null && dump(answer, "The first bytes of the answer")
      ),
      step("tab", "Decrypted, in this tab", seconds(times.decrypt), hint(conclusion(info, prediction)))
    )
  );
}
function conclusion(info, prediction) {
  const shown2 = prediction.scores?.slice(0, 10).join(", ");
  const said = prediction.class ?? String(prediction.value);
  const more3 = (prediction.scores?.length ?? 0) > 10 ? ", …" : "";
  return shown2 === void 0 ? `${info.target || "Answer"}: ${said}.` : `Scores ${shown2}${more3}, which say ${said}.`;
}
function hint(text) {
  return h("p", { class: "hint" }, text);
}
function rowText(quantized, image) {
  const ink = image ? quantized.findIndex((value) => value !== quantized[0]) : 0;
  const from = Math.max(0, Math.min(ink, quantized.length - SHOWN_CELLS));
  const shown2 = Array.from(quantized.subarray(from, from + SHOWN_CELLS)).join(" ");
  const rest = quantized.length - from - SHOWN_CELLS;
  return h(
    "p",
    { class: "mono row-text" },
    from > 0 && h("span", { class: "hint" }, `${quantized[0]}, ${from} times, then `),
    shown2,
    rest > 0 && h("span", { class: "hint" }, ` and ${rest} more`)
  );
}
function dump(data, label2) {
  const rest = data.length - SHOWN;
  const width = matchMedia("(max-width: 36rem)").matches ? 8 : 16;
  return h(
    "div",
    {},
    h("pre", { class: "hex", tabindex: 0, role: "region", "aria-label": `${label2}, in hexadecimal` }, hexDump(data, SHOWN, width)),
    rest > 0 && hint(`and ${count(rest, "more byte")}. The first ones name the model; the rest is random to all but you.`)
  );
}
function serverSees({ info, prediction }, told) {
  const { rows, keyId, requestBytes, times } = prediction.exchange;
  const fact = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];
  return h(
    "dl",
    { class: "facts sees" },
    ...fact("Sees", `${count(rows, "row")} for ${info.name}, ${bytes(requestBytes)}; your address, and when`),
    ...keyId === null ? [] : fact("Key", h("code", { title: keyId }, `${keyId.slice(0, 16)}…`), " which computes and cannot decrypt"),
    ...fact("Never sees", "the values above, the scores, the answer"),
    ...told ? fact("Time", `waited ${seconds(times.queue)}, computed ${seconds(times.compute)}`) : fact("Time", "It does not tell how long it computed (--timing-headers)")
  );
}
function timeBar({ times }) {
  const told = times.queue !== null && times.compute !== null;
  const stages = told ? [
    ["encrypt", "Encrypt", times.encrypt],
    ["network", "Network", times.network],
    ["queue", "Queue", times.queue],
    ["compute", "Compute", times.compute],
    ["decrypt", "Decrypt", times.decrypt]
  ] : [
    ["encrypt", "Encrypt", times.encrypt],
    ["network", "Network and server", times.roundtrip],
    ["decrypt", "Decrypt", times.decrypt]
  ];
  const all = stages.reduce((sum, [, , time]) => sum + time, 0);
  const bar = h("div", { class: "time-bar", "aria-hidden": "true" });
  for (const [name, , time] of stages) {
    const part = h("span", { class: `part ${name}` });
    part.style.setProperty("--share", String(Math.max(time / all, 4e-3)));
    bar.append(part);
  }
  const cells = stages.map(
    ([name, label2, time]) => h("div", { class: "stage" }, h("dt", {}, h("span", { class: `dot ${name}`, "aria-hidden": "true" }), label2), h("dd", {}, seconds(time)))
  );
  const total = h("div", { class: "stage total" }, h("dt", {}, "In all"), h("dd", {}, seconds(all)));
  return h("div", {}, bar, h("dl", { class: "stages" }, ...cells, total));
}

// ../page/src/keys_panel.ts
var WHERE = {
  indexeddb: "In this browser, for this site, sealed with AES-GCM under a key that scripts can use and not read out.",
  memory: "In memory: they are gone when this tab is closed. Stored keys want https or localhost.",
  custom: "Where this page was told to keep them."
};
var KeysPanel = class {
  element;
  #model;
  #body = h("div");
  #changed;
  /** `changed` is called when the model's own key is another or gone. */
  constructor(model, changed) {
    this.#model = model;
    this.#changed = changed;
    const details = h("details", { class: "card keys" }, h("summary", {}, h("h3", {}, "Your keys")), this.#body);
    details.addEventListener("toggle", () => void this.refresh());
    this.element = details;
  }
  /** Shows what there is now, where it can be seen. */
  async refresh() {
    if (!this.element.open) return;
    try {
      const keys = await this.#model.keys();
      const all = await keys.list();
      this.#body.replaceChildren(
        h("p", {}, WHERE[keys.storage]),
        all.length > 0 ? this.#table(keys, all) : h("p", { class: "hint" }, "None yet. The first prediction makes one."),
        h(
          "p",
          { class: "hint" },
          "The secret key decrypts your answers and never leaves this tab. Deleting it makes old answers unreadable, here as everywhere."
        )
      );
    } catch (error) {
      this.#body.replaceChildren(errorNote(error));
    }
  }
  #table(keys, all) {
    const own = (key) => key.model === this.#model.info.id;
    const rows = all.map(
      (key) => h(
        "tr",
        { role: "row" },
        h("th", { scope: "row", role: "rowheader" }, key.name, own(key) && h("span", { class: "hint" }, " this model")),
        h("td", { class: "mono", role: "cell" }, key.serial.slice(0, 8)),
        h("td", { role: "cell" }, key.made.toLocaleString("en-US", { dateStyle: "medium", timeStyle: "short" })),
        h(
          "td",
          { class: "buttons", role: "cell" },
          own(key) && button("Rotate", () => void this.#rotate(keys), { class: "quiet", "aria-label": `Rotate the key of ${key.name}` }),
          button("Delete", () => void this.#delete(keys, key), { class: "quiet", "aria-label": `Delete the key of ${key.name}` })
        )
      )
    );
    const headings = ["Model", "Key", "Made"].map((heading) => h("th", { scope: "col", role: "columnheader" }, heading));
    return h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Stored keys" },
      h(
        "table",
        { class: "rows", role: "table" },
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...headings, h("td", { role: "cell" }))),
        h("tbody", { role: "rowgroup" }, ...rows)
      )
    );
  }
  async #rotate(keys) {
    await this.#change(async () => {
      const report = await keys.rotate();
      this.#changed();
      return `A new key was made in ${seconds(report.make)}${report.sent > 0 ? `, and ${bytes(report.sent)} were sent` : ""}`;
    });
  }
  async #delete(keys, key) {
    await this.#change(async () => {
      if (key.model === this.#model.info.id) {
        await keys.delete();
        this.#changed();
      } else await keys.delete(key.model);
      return `The key of ${key.name} is deleted`;
    });
  }
  async #change(work) {
    for (const one of this.#body.querySelectorAll("button")) one.disabled = true;
    try {
      const done2 = await work();
      await this.refresh();
      this.#body.append(h("p", { class: "note" }, `${done2}.`));
      announce(done2);
    } catch (error) {
      await this.refresh();
      this.#body.append(errorNote(error));
    }
  }
};

// ../page/src/progress.ts
var TOLD_EVERY = 2e3;
var ProgressBar = class {
  element;
  signal;
  #bar = h("progress", { max: 1, "aria-label": "Progress" });
  #text = h("span", { class: "progress-text" });
  #told = 0;
  /** How often keys were read or made. */
  #keys = 0;
  constructor() {
    const stop = new AbortController();
    this.signal = stop.signal;
    this.element = h(
      "div",
      { class: "progress" },
      this.#bar,
      this.#text,
      button("Cancel", () => stop.abort(), { class: "quiet" })
    );
    this.say("Encrypting");
  }
  show(progress) {
    const { stage, done: done2, total } = progress;
    if (total > 0) this.#bar.value = done2 / total;
    else this.#bar.removeAttribute("value");
    if (stage === "keys") this.say(this.#keys++ === 0 ? "Making your keys" : "Making a new key: the one before has answered its rows");
    if (stage === "upload") this.say(`Sending the ${this.#keys > 1 ? "new " : ""}evaluation key: ${bytes(done2)} of ${bytes(total)}`);
    if (stage === "predict") this.say(total > 1 ? `Answered: ${done2} of ${count(total, "row")}` : "Waiting for the answer");
  }
  say(text) {
    this.#text.textContent = text;
    const now = performance.now();
    if (now - this.#told < TOLD_EVERY) return;
    this.#told = now;
    announce(text);
  }
};

// ../page/src/records.ts
function* recordsOf(text, separator) {
  let [at, line] = [0, 1];
  while (at < text.length) {
    const cells = [];
    const begun = line;
    for (; ; ) {
      let cell = "";
      if (text[at] === '"') {
        for (at++; at < text.length; at++) {
          if (text[at] === "\n") line++;
          if (text[at] !== '"') cell += text[at];
          else if (text[at + 1] === '"') cell += text[at++];
          else break;
        }
        if (at >= text.length) throw new Error(`Line ${begun} has a quote that does not end`);
        at++;
      }
      const from = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
      cells.push(cell + text.slice(from, at));
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (cells.length > 1 || cells[0] !== "") yield { line: begun, cells };
  }
}

// ../page/src/dialect.ts
var HEAD = 1 << 16;
var ROWS = 50;
var SEPARATORS = [",", ";", "	", "|"];
function recognize(text) {
  const named = /^"?sep=([,;\t|])"?[ \r]*(?:\n|$)/.exec(text.slice(0, 100));
  const skip = named?.[0].length ?? 0;
  const head = text.slice(skip, skip + HEAD);
  const separator = named?.[1] ?? bestSeparator(head);
  return { separator, decimalComma: separator !== "," && writesDecimalCommas(head, separator), skip };
}
function bestSeparator(head) {
  let best = { separator: ",", same: 0, width: 0 };
  for (const separator of SEPARATORS) {
    const rows = firstRows(head, separator, ROWS);
    const width = rows[0]?.length ?? 0;
    if (width < 2) continue;
    const same = Math.floor(rows.filter((row) => row.length === width).length * 1e3 / rows.length);
    if (same > best.same || same === best.same && width > best.width) best = { separator, same, width };
  }
  return best.separator;
}
function writesDecimalCommas(head, separator) {
  const cells = firstRows(head, separator, Infinity).slice(1).flat();
  return cells.some((cell) => isDecimal(cell, ",")) && !cells.some((cell) => isDecimal(cell, "."));
}
function isDecimal(cell, point) {
  const pattern = point === "," ? /^[-+]*\d+,\d+(?:e.*)?$/i : /^[-+]*\d+\.\d+(?:e.*)?$/i;
  return pattern.test(cell.trim());
}
function firstRows(head, separator, most) {
  const end = head.length < HEAD / 2 ? -1 : head.lastIndexOf("\n");
  const rows = [];
  try {
    for (const { cells } of recordsOf(end < 0 ? head : head.slice(0, end), separator)) {
      rows.push(cells);
      if (rows.length >= most) break;
    }
  } catch {
  }
  return rows;
}

// ../page/src/csv.ts
var MOST_BYTES = 64e6;
var MOST_COLUMNS = 1 << 16;
function parseCsv(text) {
  const { separator, decimalComma, skip } = recognize(text);
  const records = recordsOf(text.slice(skip), separator);
  const first = records.next();
  const header = checkedHeader(first.done ? [] : first.value.cells.map(plain));
  const lines = skip > 0 ? 1 : 0;
  const rows = [];
  for (const { line, cells } of records) {
    while (cells.length > header.length && cells.at(-1).trim() === "") cells.pop();
    if (cells.length !== header.length) throw new Error(ragged(line + lines, cells.length, header.length));
    const trimmed = cells.map(plain);
    rows.push(decimalComma ? trimmed.map((cell) => isDecimal(cell, ",") ? cell.replace(",", ".") : cell) : trimmed);
  }
  return { header, rows };
}
function ragged(line, cells, columns) {
  const title = columns === 1 ? ". If the first line is a title, delete what stands above the names of the columns" : "";
  return `Line ${line} has ${count(cells, "cell")}, the header has ${columns}${title}`;
}
function plain(cell) {
  const trimmed = cell.trim();
  return /\p{Cc}/u.test(trimmed) ? trimmed.replace(/\p{Cc}/gu, " ").trim() : trimmed;
}
function checkedHeader(cells) {
  while (cells.length > 1 && cells.at(-1) === "") cells.pop();
  if (cells.every((name) => name === "")) throw new Error("The file has no header: its first line names the columns");
  if (cells.length > MOST_COLUMNS) throw new Error(`The file has ${count(cells.length, "column")}, at most ${MOST_COLUMNS} are read`);
  if (looksLikeData(cells)) {
    throw new Error(`The first line looks like data, not like names of columns: ${cells.slice(0, 4).map(quoted).join(", ")}. Add a line with the names`);
  }
  if (cells.length > 1 && cells[0] === "") cells[0] = "index";
  const seen = /* @__PURE__ */ new Set();
  cells.forEach((name, at) => {
    if (name === "") throw new Error(`Column ${at + 1} has no name in the file's first line`);
    if (seen.has(name)) throw new Error(`Two columns are named ${quoted(name)}. Rename one of them, or take one away`);
    seen.add(name);
  });
  return cells;
}
function looksLikeData(names2) {
  const numbers = names2.filter(isNumber).map(Number);
  const counted = numbers.every((number2, at) => at === 0 || number2 === numbers[at - 1] + 1);
  return numbers.some((number2) => !Number.isInteger(number2)) || numbers.length > 0 && 2 * numbers.length >= names2.length && !counted;
}
function quoted(text) {
  const characters = [...text];
  return `“${characters.slice(0, 40).join("")}${characters.length > 40 ? "…" : ""}”`;
}
function csvLine(values) {
  if (values.length === 1 && values[0] === "") return '""\n';
  return `${values.map((value) => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value).join(",")}
`;
}

// ../page/src/labels.ts
function classOf(classes, label2) {
  if (classes.includes(label2)) return label2;
  if (isNumber(label2)) {
    const value = Number(label2);
    return Number.isInteger(value) ? classes.find((name) => name === String(value + 0)) ?? null : null;
  }
  const truth = truthOf(label2);
  if (truth === null) return null;
  const names2 = truth ? ["1", "true"] : ["0", "false"];
  return names2.flatMap((name) => classes.filter((one) => one.toLowerCase() === name))[0] ?? null;
}
function agreement(info, said, labels) {
  const blank = (label2) => isMissing(label2) && !info.classes?.includes(label2);
  const pairs = labels.flatMap((label2, at) => said[at] == null || blank(label2) ? [] : [[said[at], label2]]);
  if (pairs.length === 0) return `The file's ${info.target} has no label of these rows.`;
  return info.classes === null ? difference(info.target, pairs) : sameClasses(info.target, info.classes, pairs);
}
function difference(target, pairs) {
  const errors = pairs.filter(([, label2]) => isNumber(label2)).map(([value, label2]) => Math.abs(Number(value) - Number(label2)));
  if (errors.length === 0) return `The file's ${target} is no number, so there is nothing to compare.`;
  return `The mean difference from the file's ${target} is ${number(errors.reduce((a, b) => a + b, 0) / errors.length)}.`;
}
function sameClasses(target, classes, pairs) {
  const known = pairs.filter(([, label2]) => classOf(classes, label2) !== null);
  const other = pairs.find(([, label2]) => classOf(classes, label2) === null)?.[1];
  if (known.length === 0) {
    const names2 = classes.slice(0, 5).map(quoted).join(", ");
    return `Nothing is compared: the file's ${target} (${quoted(other)}, say) is no class of the model, whose classes are ${names2}${classes.length > 5 ? ", …" : ""}.`;
  }
  const same = known.filter(([one, label2]) => one === classOf(classes, label2)).length;
  const left = pairs.length - known.length;
  const rest = left > 0 ? ` In ${count(left, "other row")} it is no class of the model, ${quoted(other)} for one.` : "";
  return `${same} of ${known.length} (${percent(same / known.length)}) are what the file's ${target} says.${rest}`;
}

// ../page/src/output.ts
function outputLines(info, table, predictions) {
  const scored = info.showsScores ? info.classes ?? [] : [];
  const outside = predictions.some((one) => one.outside.length > 0);
  const header = ["prediction", ...scored.map((name) => `score_${name}`), ...outside ? ["outside"] : []];
  const lines = Array.from({ length: table.total }, () => header.map(() => ""));
  predictions.forEach((one, at) => {
    const scores = scored.map((_, index) => one.classScores ? decimal(one.classScores[index] ?? 0) : "");
    lines[table.places[at]] = [saidOf(one, decimal), ...scores, ...outside ? [one.outside.join(" ")] : []];
  });
  return [header, ...lines].map(csvLine);
}
function decimal(value) {
  if (Object.is(value, -0)) return "-0";
  const [, sign, whole, , fraction = "", exponent] = /^(-?)(\d+)(\.(\d+))?(?:e([-+]\d+))?$/.exec(String(value)) ?? [];
  if (whole === void 0 || exponent === void 0) return String(value);
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0").slice(0, point)}${digits.length > point ? `.${digits.slice(point)}` : ""}`;
}

// ../page/src/results.ts
var SHOWN2 = 100;
var NAMED = 3;
function resultsView(info, table, predictions, took) {
  const answered = new Map(table.places.map((place, at) => [place, predictions[at]]));
  const said = Array.from({ length: table.total }, (_, place) => {
    const one = answered.get(place);
    return one ? saidOf(one, String) : null;
  });
  const exchanges = new Set(predictions.map((one) => one.exchange));
  const sent = [...exchanges].reduce((sum, exchange) => sum + exchange.requestBytes, 0);
  const left = table.total - predictions.length;
  return h(
    "section",
    { class: "card results", "aria-labelledby": "results-title" },
    h("h3", { id: "results-title" }, `${count(predictions.length, "row")} answered`),
    h(
      "p",
      {},
      `${seconds(took)} in all, ${seconds(took / predictions.length)} a row, ${bytes(sent)} encrypted. `,
      table.labels !== null && agreement(info, said, table.labels)
    ),
    left > 0 && h("p", { class: "note" }, `${count(left, "row")} of the file ${left === 1 ? "was" : "were"} left out: empty in the download.`),
    outsideNote(table, predictions),
    button("Download predictions", () => save(info, table, predictions), { class: "primary" }),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Predictions" },
      rowsTable(info, table, answered)
    ),
    table.total > SHOWN2 && h("p", { class: "hint" }, `The first ${SHOWN2} rows; the download has all.`)
  );
}
function outsideNote(table, predictions) {
  const first = predictions.findIndex((one) => one.outside.length > 0);
  if (first < 0) return null;
  const rows = predictions.filter((one) => one.outside.length > 0).length;
  return h(
    "p",
    { class: "note" },
    `${count(rows, "row")} of ${predictions.length} ${rows === 1 ? "lies" : "lie"} beyond what the model knows (such as row ${table.places[first] + 1}, `,
    `${predictions[first].outside[0]}). The nearest end of the range was taken; the download's column “outside” names the features.`
  );
}
function rowsTable(info, table, answered) {
  const all = [...answered.values()];
  const scored = all.some((one) => one.classScores !== null);
  const outside = all.some((one) => one.outside.length > 0);
  const headings = ["Row", "Prediction", table.labels && "In the file", scored && "Score", outside && "Outside"].filter(Boolean);
  const body = Array.from({ length: Math.min(SHOWN2, table.total) }, (_, place) => {
    const one = answered.get(place);
    const label2 = table.labels?.[place];
    return h(
      "tr",
      { class: !one ? "left-out" : one.outside.length > 0 ? "outside" : null },
      h("td", { class: "figure" }, String(place + 1)),
      h("td", {}, one ? saidOf(one, number) : "left out"),
      label2 !== void 0 && expectation(info, one, label2),
      scored && h("td", { class: "figure" }, one ? shownScore(info, one) : ""),
      outside && h("td", {}, one ? listed(one.outside, NAMED) : "")
    );
  });
  return h(
    "table",
    { class: "rows" },
    h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
    h("tbody", {}, ...body)
  );
}
function expectation(info, one, label2) {
  const known = info.classes === null ? null : classOf(info.classes, label2);
  if (!one || known === null) return h("td", {}, label2);
  const same = one.class === known;
  return h("td", { class: same ? "same" : "other" }, label2, h("span", { class: "visually-hidden" }, same ? " (the same)" : " (another)"));
}
function shownScore(info, prediction) {
  const score = prediction.classScores?.[prediction.classIndex ?? 0] ?? 0;
  return info.scoreUnit === "probability" || info.scoreUnit === "share" ? percent(score) : number(score);
}
function save(info, table, predictions) {
  const stem = table.name.replace(/\.[^.]*$/, "");
  download(`${stem}-predictions.csv`, outputLines(info, table, predictions), "text/csv");
}

// ../page/src/columns.ts
var SHOWN3 = 5;
function matchColumns(info, header) {
  const at = new Map(header.map((column, index) => [column, index]));
  const names2 = info.features.map((feature) => feature.name);
  const missing2 = names2.filter((name) => !at.has(name));
  if (missing2.length > 0) throw new Error(lacks(missing2, header.filter((column) => !names2.includes(column))));
  const target = at.get(info.target) ?? null;
  const used = /* @__PURE__ */ new Set([...names2, info.target]);
  return {
    features: names2.map((name) => at.get(name)),
    target: names2.includes(info.target) ? null : target,
    others: header.filter((column) => !used.has(column)).length
  };
}
function lacks(missing2, found) {
  const told = `The file lacks ${count(missing2.length, "column")} of the model: ${list(missing2)}.`;
  const spelled = new Map(found.map((column) => [spelling(column), column]));
  const near = missing2.flatMap((name) => spelled.has(spelling(name)) ? [[spelled.get(spelling(name)), name]] : []);
  if (near.length === 0) return `${told} It has ${found.length > 0 ? `other columns: ${list(found)}` : "no others"}.`;
  const renamed = near.slice(0, SHOWN3).map(([column, name]) => `${quoted(column)} to ${quoted(name)}`);
  return `${told} Names have to be the same in every letter: rename ${renamed.join(", ")}${more2(near.length)}.`;
}
function spelling(name) {
  return name.toLowerCase().replace(/[\s_.\-\ufeff]+/gu, "");
}
function list(names2) {
  return `${names2.slice(0, SHOWN3).map(quoted).join(", ")}${more2(names2.length)}`;
}
function more2(all) {
  return all > SHOWN3 ? ` and ${count(all - SHOWN3, "other")}` : "";
}

// ../page/src/rows.ts
async function checkRows(info, table, name, judge) {
  const columns = matchColumns(info, table.header);
  if (table.rows.length === 0) throw new Error("The file has a header and no rows");
  const checked = {
    name,
    rows: [],
    places: [],
    total: table.rows.length,
    labels: columns.target === null ? null : table.rows.map((record) => record[columns.target])
  };
  const verdicts = /* @__PURE__ */ new Map();
  let [refused2, first] = [0, null];
  for (const [place, record] of table.rows.entries()) {
    const outcome2 = read(info, columns.features.map((at) => record[at]));
    const problem = typeof outcome2 === "string" ? outcome2 : await asked(info, outcome2, judge, verdicts);
    if (problem !== null) {
      refused2++;
      first ??= `Row ${place + 1}, ${problem}`;
      continue;
    }
    checked.rows.push(outcome2);
    checked.places.push(place);
  }
  const note = `has ${count(checked.total, "row")} for all ${count(info.features.length, "feature")}` + (checked.labels ? `; its column ${info.target} is compared and never sent` : "") + (columns.others > 0 ? `; ${count(columns.others, "other column")} left out` : "");
  return { table: checked, note, refused: refused2, first };
}
function read(info, record) {
  try {
    return info.features.map((feature, at) => cellOf(feature, record[at]));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
async function asked(info, row, judge, verdicts) {
  const open = info.features.flatMap(({ kind }, at) => row[at] === null || kind === "date" ? [`${at} ${row[at] ?? ""}`] : []);
  if (open.length === 0) return null;
  const pattern = open.join("\n");
  const known = verdicts.get(pattern);
  if (known !== void 0) return known;
  const verdict = await judge(row).then(
    () => null,
    (error) => {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      return plainly(refusal);
    }
  );
  verdicts.set(pattern, verdict);
  return verdict;
}

// ../page/src/text.ts
var KINDS = [
  ["PNG", "a PNG image"],
  ["ÿØÿ", "a JPEG image"],
  ["GIF8", "a GIF image"],
  ["%PDF", "a PDF"],
  ["PK", "an Excel workbook or a zip file"],
  ["ÐÏà", "an old Excel workbook"],
  ["", "a gzip file"],
  ["PAR1", "a Parquet file"],
  ["ARROW1", "an Arrow file"]
];
var SAVE = "Save the table as CSV and choose that file";
function textOf2(bytes2) {
  const start2 = String.fromCharCode(...bytes2.subarray(0, 8));
  const kind = KINDS.find(([magic]) => start2.startsWith(magic));
  if (kind) throw new Error(`This is ${kind[1]}, not a table as text. ${SAVE}.`);
  let text;
  try {
    const encoding = start2.startsWith("ÿþ") ? "utf-16le" : start2.startsWith("þÿ") ? "utf-16be" : "utf-8";
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes2);
  } catch {
    throw new Error("The file is not UTF-8 text. In a spreadsheet, save it as “CSV UTF-8”.");
  }
  if (text.includes("\0")) throw new Error(`The file is not text. ${SAVE}.`);
  const markup = markupOf(text.trim());
  if (markup !== null) throw new Error(`This is ${markup}, not a table of rows and columns. ${SAVE}.`);
  return text;
}
function markupOf(text) {
  if (/^<(!doctype html|html|head|body|table)\b/i.test(text)) return "a web page (HTML)";
  if (/^<(\?xml|svg)\b/i.test(text)) return "XML";
  return text.startsWith("{") && text.endsWith("}") || text.startsWith("[") && text.endsWith("]") ? "JSON" : null;
}

// ../page/src/table.ts
var TableDrop = class {
  element;
  #info;
  #uses;
  #said = h("div", { class: "table-said", "aria-live": "polite" });
  #send;
  #read = null;
  /** Counts files, so that what is read late is known to be late. */
  #taken = 0;
  constructor(info, uses) {
    this.#info = info;
    this.#uses = uses;
    const id = freshId();
    const input = h("input", { type: "file", id, accept: ".csv,.tsv,.txt,text/csv", class: "visually-hidden" });
    const zone = h(
      "label",
      { for: id, class: "drop" },
      h("span", { class: "drop-title" }, "Drop a CSV file here, or choose one"),
      h("span", { class: "hint" }, "A header, and columns of the model's names in any order. The file stays in this tab.")
    );
    input.addEventListener("change", () => {
      void this.#take(input.files?.[0]);
      input.value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.toggle("over", name === "dragover");
        if (name === "drop") void this.#take(event.dataTransfer?.files[0]);
      });
    }
    this.#send = button("Encrypt and predict", () => this.#read && uses.predict(this.#read), { class: "primary", hidden: true });
    this.element = h("div", { class: "table-drop" }, input, zone, this.#said, this.#send);
  }
  async #take(file) {
    if (!file) return;
    const mine = ++this.#taken;
    this.#read = null;
    this.#send.hidden = true;
    this.#uses.changed();
    this.#said.replaceChildren(h("p", { class: "hint" }, `Reading ${file.name} …`));
    try {
      if (file.size > MOST_BYTES) throw new Error(`${file.name} has ${bytes(file.size)}; the page reads ${bytes(MOST_BYTES)} at most`);
      const table = parseCsv(textOf2(new Uint8Array(await file.arrayBuffer())));
      const checked = await checkRows(this.#info, table, file.name, this.#uses.judge);
      if (mine === this.#taken) this.#show(checked);
    } catch (error) {
      if (mine !== this.#taken) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#said.replaceChildren(h("p", { class: "note bad", role: "alert" }, message));
    }
  }
  #show({ table, note, refused: refused2, first }) {
    const about2 = h("p", {}, h("strong", {}, table.name), ` ${note}`);
    if (refused2 === 0) {
      this.#said.replaceChildren(about2);
      this.#offer(table);
      return;
    }
    const rows = refused2 === 1 ? "this row" : `these ${count(refused2, "row")}`;
    const problem = h(
      "div",
      { class: "note bad", role: "alert" },
      h("p", {}, h("strong", {}, `${count(refused2, "row")} of ${table.total} cannot be predicted.`), ` The first: ${first}.`),
      table.rows.length > 0 && button(`Leave ${rows} out`, () => {
        const left = `${count(refused2, "row")} of ${table.total} left out; the download has empty cells for ${refused2 === 1 ? "it" : "them"}.`;
        problem.replaceWith(h("p", { class: "note" }, left));
        announce(left);
        this.#offer(table);
        this.#send.focus();
      }),
      table.rows.length === 0 && h("p", {}, "None is left. Correct the file and choose it again.")
    );
    this.#said.replaceChildren(about2, problem);
  }
  #offer(table) {
    this.#read = table;
    this.#send.hidden = false;
  }
};

// ../page/src/tabs.ts
function tabs(label2, all, shown2) {
  if (all.length === 1) return all[0].panel;
  const panels = [];
  const buttons = all.map(({ title, panel }, at) => {
    const id = freshId();
    const tab = h("button", { type: "button", role: "tab", id, "aria-controls": `${id}-panel` }, title);
    panels.push(h("div", { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id }, panel));
    tab.addEventListener("click", () => select(at));
    return tab;
  });
  const select = (chosen) => {
    buttons.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      panels[at].hidden = at !== chosen;
    });
    shown2(chosen);
  };
  const list3 = h("div", { role: "tablist", "aria-label": label2 }, ...buttons);
  list3.addEventListener("keydown", (event) => {
    const now = buttons.findIndex((tab) => tab === document.activeElement);
    const last = buttons.length - 1;
    const places = {
      ArrowRight: now === last ? 0 : now + 1,
      ArrowLeft: now === 0 ? last : now - 1,
      Home: 0,
      End: last
    };
    const next = places[event.key];
    if (next === void 0 || now < 0) return;
    event.preventDefault();
    select(next);
    buttons[next].focus();
  });
  select(0);
  return h("div", { class: "tabs" }, list3, ...panels);
}

// ../page/src/model_view.ts
var MOST_FIELDS = 200;
var ModelView = class {
  element;
  #model;
  #host;
  #keys;
  #result = h("div", { class: "result" });
  #fresh;
  #memory = h("p", { class: "hint" });
  #busy = false;
  constructor(model, host) {
    this.#model = model;
    this.#host = host;
    this.#keys = new KeysPanel(model, () => {
      this.#result.replaceChildren();
      this.#fresh.answered();
    });
    const { info } = model;
    const { image } = info;
    const predict = (row) => void this.#predictRow(row);
    const judge = (row) => model.quantize(row);
    const all = [
      image !== null && { title: "Draw", panel: (changed) => new DrawingPad(info, image, { predict, changed }).element },
      info.features.length <= MOST_FIELDS && {
        title: "Fill in",
        panel: (changed) => new FeatureForm(info, { predict, judge, changed }).element
      },
      {
        title: "CSV file",
        panel: (changed) => new TableDrop(info, { predict: (rows) => void this.#predictTable(rows), judge, changed }).element
      }
    ];
    const ways = all.filter((way) => way !== false);
    this.#fresh = new Freshness(this.#result, ways.map(({ title }) => title));
    const panels = ways.map(({ title, panel }, at) => ({ title, panel: panel(() => this.#fresh.changed(at)) }));
    this.element = h(
      "article",
      {},
      h("a", { href: "#/", class: "back" }, "All models"),
      h("h2", { tabindex: -1 }, info.name),
      about(model, this.#memory),
      h("section", { class: "card ask", "aria-label": "Ask" }, tabs("Ways to ask", panels, (at) => this.#fresh.shown(at))),
      this.#fresh.note,
      this.#result,
      this.#keys.element
    );
  }
  /** Puts the focus where a reader begins. */
  focus() {
    this.element.querySelector("h2")?.focus({ preventScroll: true });
  }
  async #predictRow(row) {
    let answered = null;
    await this.#working(async (progress) => {
      const options = { onProgress: (step) => progress.show(step), signal: progress.signal };
      const prediction = await this.#model.predict(row, { ...options, keepBytes: true });
      const { info } = this.#model;
      this.#result.replaceChildren(h("section", { class: "card", "aria-label": "Answer" }, answerView(info, prediction)));
      announce(`The answer is ${answerText(info, prediction)}`);
      answered = prediction;
    }, () => void this.#predictRow(row));
    if (answered) await this.#explain(row, answered);
  }
  async #explain(row, prediction) {
    const shown2 = this.#result.firstChild;
    try {
      const quantized = await this.#model.quantize(row);
      if (this.#result.firstChild !== shown2) return;
      const broken2 = breakItView(this.#model, prediction);
      const { info } = this.#model;
      this.#result.append(journeyView({ info, prediction, quantized, host: this.#host }), ...broken2 ? [broken2] : []);
    } catch (error) {
      if (this.#result.firstChild === shown2) this.#result.append(errorNote(error));
    }
  }
  async #predictTable(table) {
    await this.#working(async (progress) => {
      const begun = performance.now();
      const options = { onProgress: (step) => progress.show(step), signal: progress.signal };
      const predictions = await this.#model.predict(table.rows, options);
      const took = (performance.now() - begun) / 1e3;
      this.#result.replaceChildren(resultsView(this.#model.info, table, predictions, took));
      announce(`${count(predictions.length, "row")} answered`);
    }, () => void this.#predictTable(table));
  }
  /** Does one thing at a time, and shows how far it is. */
  async #working(work, again) {
    if (this.#busy) return;
    this.#busy = true;
    const progress = new ProgressBar();
    this.#result.replaceChildren(progress.element);
    this.#fresh.asked();
    progress.element.scrollIntoView({ block: "nearest" });
    try {
      await work(progress);
    } catch (error) {
      this.#result.replaceChildren(progress.signal.aborted ? h("p", { class: "note" }, "Canceled.") : errorNote(error, again));
    }
    this.#busy = false;
    this.#fresh.answered();
    void Promise.all([this.#keys.refresh(), this.#showMemory()]).catch(() => void 0);
  }
  async #showMemory() {
    const size = await this.#model.memoryBytes();
    this.#memory.textContent = `It uses ${bytes(size)} of WebAssembly memory.`;
    this.#memory.dataset["memory"] = String(size);
  }
};
function keySize({ sizes, rowsAKey }) {
  if (sizes.key === 0) return "none";
  return `${bytes(sizes.key)}${rowsAKey === null ? "" : `, for ${count(rowsAKey, "row")}`}`;
}
function about({ info, runtime }, memory3) {
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const failure = info.pFailLog2 === null ? "" : `, wrong at most once in 2^${Math.round(-info.pFailLog2)}`;
  return h(
    "div",
    { class: "about" },
    h(
      "dl",
      { class: "sizes" },
      fact("Key, sent once", keySize(info)),
      fact("A row, encrypted", bytes(info.sizes.request)),
      fact("Its answer", bytes(info.sizes.response)),
      fact("Security", `${info.securityBits} bits`)
    ),
    h(
      "details",
      {},
      h("summary", {}, "What this model is, and what it tells you"),
      h("p", {}, `A ${info.kind} as the circuit ${info.circuit}: `, info.exact ? `exact${failure}.` : "its answers carry noise."),
      h("p", {}, sentence(info.clientLearns)),
      h("p", { class: "hint" }, `Id ${info.id.slice(0, 16)}…; the client runs ${runtime.worker ? "in a worker" : "in the page"}${runtime.simd ? ", with SIMD" : ""}.`),
      memory3
    )
  );
}

// ../page/src/place.ts
var WASM = { simd: "fhectl-simd.wasm", plain: "fhectl.wasm" };
function meta(name) {
  return document.querySelector(`meta[name="${name}"]`)?.content ?? "";
}
function isServedHere() {
  return meta("fhectl-server") === "";
}
function serverUrl() {
  const named = meta("fhectl-server");
  return new URL(named === "" ? "./" : `${named.replace(/\/$/, "")}/`, document.baseURI);
}
var SIMD_PROBE2 = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
function wasmName() {
  return WebAssembly.validate(new Uint8Array(SIMD_PROBE2)) ? WASM.simd : WASM.plain;
}
async function configureFiles() {
  const inlined = (name) => {
    const element = document.querySelector(`script[data-file="${name}"]`);
    return element ? fromBase64(element.textContent ?? "") : null;
  };
  const hashes = new Map(chunks(meta("fhectl-integrity").split(" ")));
  const checked = (name) => {
    const integrity = hashes.get(name);
    return integrity ? fetch(name, { integrity }).then(async (reply) => new Uint8Array(await reply.arrayBuffer())) : null;
  };
  const file = (name) => inlined(name) ?? checked(name);
  const [wasm2, worker] = await Promise.all([file(wasmName()), file("worker.js")]);
  if (wasm2 && worker) {
    configure2({ wasm: wasm2, worker: URL.createObjectURL(new Blob([worker], { type: "text/javascript" })) });
  }
}
function chunks(words) {
  return words.flatMap((word, at) => at % 2 === 0 && words[at + 1] ? [[word, words[at + 1]]] : []);
}
async function fromBase64(text) {
  const binary = atob(text.trim());
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

// ../page/src/trust.ts
function trustView(servedHere, host) {
  const whose = servedHere ? [
    h(
      "p",
      {},
      h("strong", {}, `This page came from ${host}, which also answers it. `),
      "The encryption keeps your rows from a server that sends the page as it is written. It cannot keep them from a server that sends another page: one that reads what you type and passes it on."
    ),
    h(
      "p",
      {},
      "If you do not want to trust it that far, take the page from somewhere else: ",
      h("code", {}, "fhectl page"),
      " writes it from a program of your own, for a web server of yours or as one file to open from disk. Or use ",
      h("code", {}, "fhectl predict"),
      "."
    )
  ] : [
    h(
      "p",
      {},
      h("strong", {}, `This page did not come from ${host}, which answers it. `),
      "It is a copy that checks every file it loads, and may reach no other server. You trust whoever gave you the copy."
    )
  ];
  return [
    h("h2", {}, "How far to trust this page"),
    ...whose,
    h("p", {}, "Answers are not signed: a server may answer anything. What it cannot do is read your row or your answer.")
  ];
}

// ../page/src/main.ts
var server = serverUrl();
var TOKEN = `fhectl-token ${server.href}`;
var models = [];
var loaded = null;
var asked2 = 0;
function token() {
  return sessionStorage.getItem(TOKEN) ?? void 0;
}
async function list2() {
  const mine = ++asked2;
  try {
    models = await listModels2(server, { token: token() });
  } catch (error) {
    if (mine === asked2) failed(error, () => void list2());
    return;
  }
  if (mine === asked2) await show();
}
async function show() {
  const mine = ++asked2;
  const only = models.length === 1 ? models[0].name : null;
  const name = modelInAddress() ?? only;
  document.body.classList.toggle("has-model", name !== null);
  document.body.classList.toggle("one-model", only !== null);
  byId("models").replaceChildren(...modelsList(models, name));
  const main = byId("main");
  await loaded?.close();
  loaded = null;
  if (name === null) {
    main.replaceChildren(welcome());
    document.title = "Private prediction";
    return;
  }
  document.title = `${name}: private prediction`;
  main.replaceChildren(h("p", { class: "hint" }, `Loading ${name} …`));
  try {
    const model = await Model2.load({ url: server, name }, { token: token() });
    if (mine !== asked2) return await model.close();
    loaded = model;
    const view2 = new ModelView(model, server.host);
    main.replaceChildren(view2.element);
    view2.focus();
  } catch (error) {
    if (mine === asked2) failed(error, () => void show());
  }
}
function welcome() {
  const step = (place, title, text) => h("li", { class: place }, h("h3", {}, title), h("p", {}, text));
  return h(
    "ol",
    { class: "welcome" },
    step("tab", "You ask", "Type, draw or drop a file. This tab encrypts it under a key that it made."),
    step("server", "The server computes", "It runs its model on the ciphertext. It holds no key that opens it."),
    step("tab", "You read", "The answer comes back encrypted, and this tab alone decrypts it.")
  );
}
function failed(error, again) {
  document.body.classList.add("has-model");
  byId("main").replaceChildren(errorNote(error, again));
  if (error instanceof FhectlError && codeOf(error) === "unauthorized") openToken(true);
}
function openToken(open) {
  byId("token").hidden = !open;
  byId("token-button").setAttribute("aria-expanded", String(open));
  if (open) byId("token-field").focus();
}
function listen() {
  byId("token-button").addEventListener("click", () => openToken(Boolean(byId("token").hidden)));
  byId("token").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("token-field");
    if (field.value === "") sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, field.value.trim());
    field.value = "";
    openToken(false);
    void list2();
  });
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    if (location.hash === "" || location.hash.startsWith("#/")) void show();
  });
}
byId("server").textContent = server.host;
byId("trust").replaceChildren(...trustView(isServedHere(), server.host));
listen();
try {
  await configureFiles();
  await list2();
} catch (error) {
  failed(error, () => location.reload());
}
