import { expect, it } from "vitest";
import { webSiteOf } from "./web-site.ts";

it.each<[string, readonly string[], readonly string[]]>([
  ["approvals.example.com/v1/ledger", ["https://approvals.example.com"], ["approvals.example.com", "example.com"]],
  ["example.com/v1/ledger", ["https://example.com"], ["example.com"]],
  [
    "a.b.example.com:8443/base/v1/ledger",
    ["https://a.b.example.com:8443"],
    ["a.b.example.com", "b.example.com", "example.com"],
  ],
  ["localhost:3000/v1/ledger", ["https://localhost:3000", "http://localhost:3000"], ["localhost"]],
  ["dev.localhost/v1/ledger", ["https://dev.localhost", "http://dev.localhost"], ["dev.localhost"]],
  ["192.0.2.7:8080/v1/ledger", ["https://192.0.2.7:8080"], ["192.0.2.7"]],
  ["[2001:db8::1]:8080/v1/ledger", ["https://[2001:db8::1]:8080"], ["[2001:db8::1]"]],
])("identity R-FACT-1: passkeys of %s sign at %j for %j", (ledgerOrigin, origins, rpIds) => {
  expect(webSiteOf(ledgerOrigin)).toEqual({ origins, rpIds, anyPort: false });
});

it.each(["localhost/dev/0123456789abcdef", "localhost/0123456789abcdef"])(
  "identity R-FACT-1: the ledger %s was made without an address: its people sign on this machine, at any port",
  (ledgerOrigin) => {
    const origins = ["https://localhost", "http://localhost"];
    expect(webSiteOf(ledgerOrigin)).toEqual({ origins, rpIds: ["localhost"], anyPort: true });
  },
);

it.each([
  "localhost/v1/ledger",
  "localhost:3000/dev/0123456789abcdef",
  "localhost.example.com/dev/x",
  "dev.localhost/x",
])("identity R-FACT-1: passkeys of %s sign at its own port alone", (ledgerOrigin) => {
  expect(webSiteOf(ledgerOrigin).anyPort).toBe(false);
});
