/** The racks of an installation, the first one the default. Implements docs/spec/deploy.md R-RACK-1 and R-RACK-2. */
import type { Rack, Racks } from "../../ports/rack.ts";
import { ConvoxRack } from "./convox-rack.ts";
import type { RackSettings, RackSurroundings } from "./rack-settings.ts";

export interface ConvoxRacks extends Racks {
  readonly close: () => Promise<void>;
}

/** Nothing is connected before the first call. */
export function openConvoxRacks(settings: readonly RackSettings[], around: RackSurroundings): ConvoxRacks {
  const racks = settings.map((each) => new ConvoxRack(each, around));
  const byName = new Map<string, Rack>(racks.map((rack) => [rack.info.name, rack]));
  return {
    all: () => racks,
    find: (name) => (name === null ? racks[0] : byName.get(name)),
    close: async () => {
      await Promise.all(racks.map((rack) => rack.close()));
    },
  };
}
