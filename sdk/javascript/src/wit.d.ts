// The imports of a component, as QuickJS gives them: one object for each interface.

declare module "tenon:handler/storage@0.1.0" {
  const storage: import("./contract.js").RawStorage;
  export default storage;
}

declare module "tenon:handler/log@0.1.0" {
  const log: import("./contract.js").RawLog;
  export default log;
}

declare module "tenon:handler/outgoing@0.1.0" {
  const outgoing: import("./contract.js").RawOutgoing;
  export default outgoing;
}

declare module "tenon:handler/secrets@0.1.0" {
  const secrets: import("./contract.js").RawSecrets;
  export default secrets;
}

declare module "wasi:random/random@0.2.12" {
  const random: import("./contract.js").RawRandom;
  export default random;
}

declare module "wasi:cli/environment@0.2.12" {
  const environment: import("./contract.js").RawEnvironment;
  export default environment;
}
