/** Which gate a request was made at, and enforces its approval, on the wire (docs/spec/api.md sections 6.3 and 6.7). */
import { z } from "zod";

export const gateNameSchema = z.enum(["generic", "deploy", "certificate"]);
