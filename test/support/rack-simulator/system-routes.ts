/** What the rack answers about itself: system, instances, certificates, registries (deploy R-RACKSIM-1, R-ROUTE-1). */
import { doneAnswer, goTime, jsonAnswer, notFound, type RackAnswer } from "./rack-answer.ts";
import { wholeNumber, type RackExchange, type RackRoute } from "./rack-route.ts";
import type { RackCertificate, RackInstance, SimulatedRack } from "./simulated-rack.ts";

export const SYSTEM_ROUTES: readonly RackRoute[] = [
  { method: "GET", path: "/auth", answer: () => doneAnswer() },
  { method: "GET", path: "/system/capacity", answer: readCapacity },
  {
    method: "POST",
    path: "/certificates",
    answer: ({ rack }) => certificateAnswer(rack.addCertificate(["rack.simulator"])),
  },
  { method: "DELETE", path: "/certificates/{id}", answer: deleteCertificate },
  { method: "POST", path: "/certificates/generate", answer: generateCertificate },
  { method: "GET", path: "/certificates", answer: listCertificates },
  {
    method: "POST",
    path: "/instances/keyroll",
    answer: () => jsonAnswer({ name: "simulated-keypair", "private-key": "" }),
  },
  { method: "GET", path: "/instances", answer: listInstances },
  { method: "GET", path: "/instances/{id}", answer: readInstance },
  { method: "DELETE", path: "/instances/{id}", answer: terminateInstance },
  { method: "POST", path: "/registries", answer: addRegistry },
  { method: "GET", path: "/registries", answer: ({ rack }) => jsonAnswer([...rack.registries.values()]) },
  { method: "DELETE", path: "/registries/{server:*}", answer: removeRegistry },
  { method: "GET", path: "/system", answer: ({ rack }) => jsonAnswer(rack.systemToWire()) },
  { method: "GET", path: "/system/metrics", answer: () => jsonAnswer([]) },
  { method: "GET", path: "/system/processes", answer: () => jsonAnswer([]) },
  { method: "GET", path: "/system/releases", answer: ({ rack }) => jsonAnswer([{ id: rack.version }]) },
  { method: "PUT", path: "/system", answer: updateSystem },
];

function updateSystem({ rack, form }: RackExchange): RackAnswer {
  rack.count = wholeNumber(form.option("count")) ?? rack.count;
  rack.type = form.option("type") ?? rack.type;
  rack.version = form.option("version") ?? rack.version;
  Object.assign(rack.parameters, form.map("parameters"));
  return doneAnswer();
}

function readCapacity({ rack }: RackExchange): RackAnswer {
  const processes = [...rack.apps.values()].reduce((sum, app) => sum + app.processes.size, 0);
  return jsonAnswer({
    ...{ "cluster-cpu": 6_000, "cluster-gpu": 0, "cluster-memory": 12_288 },
    ...{ "process-count": processes, "process-cpu": 0, "process-gpu": 0, "process-memory": 0 },
  });
}

function certificateAnswer(certificate: RackCertificate): RackAnswer {
  return jsonAnswer(certificateToWire(certificate));
}

function certificateToWire({ id, domains, expiration }: RackCertificate): Record<string, unknown> {
  return { id, domain: domains[0] ?? "", domains, expiration: goTime(expiration), status: "" };
}

function generateCertificate({ rack, form }: RackExchange): RackAnswer {
  return certificateAnswer(rack.addCertificate(form.value("domains").split(",")));
}

function deleteCertificate({ rack, parameter }: RackExchange): RackAnswer {
  if (!rack.certificates.delete(parameter("id"))) throw notFound("certificate", parameter("id"));
  return doneAnswer();
}

function listCertificates({ rack }: RackExchange): RackAnswer {
  return jsonAnswer([...rack.certificates.values()].map(certificateToWire));
}

function listInstances({ rack }: RackExchange): RackAnswer {
  return jsonAnswer([...rack.instances.values()].map((instance) => instanceToWire(rack, instance)));
}

function readInstance({ rack, parameter }: RackExchange): RackAnswer {
  return jsonAnswer(instanceToWire(rack, rack.instance(parameter("id"))));
}

function terminateInstance({ rack, parameter }: RackExchange): RackAnswer {
  rack.instances.delete(rack.instance(parameter("id")).id);
  return doneAnswer();
}

function instanceToWire(rack: SimulatedRack, { id, privateIp, started }: RackInstance): Record<string, unknown> {
  const processes = [...rack.apps.values()].reduce((sum, app) => sum + app.processes.size, 0);
  return {
    ...{
      agent: true,
      cpu: 0,
      "cpu-capacity": 2_000,
      "cpu-allocatable": 1_900,
      "gpu-capacity": 0,
      "gpu-allocatable": 0,
      id,
    },
    ...{ memory: 0, "memory-capacity": 4_096, "memory-allocatable": 3_800, "private-ip": privateIp, processes },
    ...{ "public-ip": "", status: "active", started: goTime(started) },
  };
}

function addRegistry({ rack, form }: RackExchange): RackAnswer {
  const registry = { server: form.value("server"), username: form.value("username"), password: form.value("password") };
  rack.registries.set(registry.server, registry);
  return jsonAnswer(registry);
}

function removeRegistry({ rack, parameter }: RackExchange): RackAnswer {
  if (!rack.registries.delete(parameter("server"))) throw notFound("registry", parameter("server"));
  return doneAnswer();
}
