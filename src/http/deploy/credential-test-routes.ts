/** Trying the credentials that the server was given for GitHub and CircleCI (docs/spec/deploy.md R-CI-6, R-UI-8). */
import { testCredential, type TestedProvider } from "../../app/deploy/test-credential.ts";
import { credentialTestSchema } from "../../contract/deploy-credential-test.ts";
import { isRefusal } from "../../core/refusal.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { tooManyTests } from "../outbound-tests.ts";

const tag = "deploy";

export function deployCredentialTestRoutes(): readonly Endpoint[] {
  return [test("github", "Can GitHub be read with its credential?"), test("circleci", "Whose is CircleCI's token?")];
}

function test(provider: TestedProvider, summary: string): Endpoint {
  return endpoint({
    ...{ method: "POST", url: `/integrations/${provider}/test`, summary, tag },
    answers: { 200: credentialTestSchema },
    async handle({ caller }) {
      const tooMany = await tooManyTests(caller);
      if (tooMany !== null) return tooMany;
      const tested = await testCredential(caller.app, provider);
      return isRefusal(tested) ? tested : ok({ ok: tested.ok, detail: tested.detail });
    },
  });
}
