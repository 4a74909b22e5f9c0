/** The client: the one place that says where it comes from. */
export { configure, FhectlError, listModels, Model } from "../../client/src/index.js";
export type {
  Cell,
  Exchange,
  Feature,
  KeyReport,
  Keys,
  ListedModel,
  Model as LoadedModel,
  ModelInfo,
  Prediction,
  Progress,
  Row,
  StoredKey,
  WrongKeyView,
} from "../../client/src/api.js";
