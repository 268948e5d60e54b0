/** Who names the machines of this installation: no identity provider may be called so (docs/spec/identity.md R-ID-8). */
export const MACHINE_ISSUER = "countersign:machine";
