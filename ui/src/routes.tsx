import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Refusal } from "./api/call.ts";
import type { Me } from "./api/session.ts";
import { lacksSecondFactor, meQuery, mustEnrol } from "./api/session.ts";
import { ProofDialog } from "./assurance/proof-dialog.tsx";
import { parseDeployAppSearch } from "./pages/deploy/deploy-app-search.ts";
import { parseDeploySearch } from "./pages/deploy/deploy-search.ts";
import { parseCliSearch } from "./pages/cli/cli-search.ts";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { PageFailed } from "./pages/page-failed.tsx";
import { parseTokensSearch } from "./pages/machines/tokens-search.ts";
import { parsePeopleSearch } from "./pages/people/people-search.ts";
import { parseInboxSearch } from "./pages/inbox/inbox-search.ts";
import { parseRequestSearch } from "./pages/request/request-search.ts";
import { parsePoliciesSearch } from "./pages/policies/policies-search.ts";
import { parseRequestsSearch } from "./pages/requests/requests-search.ts";
import { Shell } from "./shell/shell.tsx";

/** A session that ended while the page was open: sign in again and come back to the same address (R-A11Y-3). */
function onFailure(failure: Error): void {
  if (!(failure instanceof Refusal)) return;
  const { pathname, href } = router.state.location;
  if (signedOut.includes(failure.code) && !open.includes(pathname)) {
    void router.navigate({ to: "/sign-in", search: { next: href } });
  }
  // Any call may hear it first; the shell says it for the whole page as soon as Me hears it too.
  if (failure.code === "org_suspended" && queryClient.getQueryState(meQuery.queryKey)?.error === null) {
    void queryClient.invalidateQueries({ queryKey: meQuery.queryKey, exact: true });
  }
  if (failure.code === "mfa_enrollment_required" && !enrolling.includes(pathname)) {
    void router.navigate({ to: "/enrol", search: { next: href } });
  }
}

/** Codes that mean that nobody is signed in any more; other 401 answers are about a proof. */
const signedOut: readonly string[] = ["authentication_required", "unauthenticated", "session_expired"];
const enrolling: readonly string[] = ["/enrol", "/security"];
const open: readonly string[] = ["/sign-in", "/login", "/setup", "/invitation", "/recover"];

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: onFailure }),
  mutationCache: new MutationCache({ onError: onFailure }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, failure) => !(failure instanceof Refusal && failure.status < 500) && failures < 3,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFoundPage });

/** Every page may end in the question for a factor. */
function Root(): ReactNode {
  return (
    <>
      <Outlet />
      <ProofDialog />
    </>
  );
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): SignInSearch => ({
    next: text(search["next"]),
    refused: text(search["refused"]),
  }),
  component: lazyRouteComponent(() => import("./pages/sign-in/sign-in-page.tsx"), "SignInPage"),
});

interface SignInSearch {
  readonly next?: string | undefined;
  /** Why a provider's sign-in came back without a session. */
  readonly refused?: string | undefined;
}

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  beforeLoad: ({ search }: { readonly search: Record<string, unknown> }) => {
    throw redirect({ to: "/sign-in", search: { next: text(search["next"]) } });
  },
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/enrolment/setup-page.tsx"), "SetupPage"),
});

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/enrolment/invitation-page.tsx"), "InvitationPage"),
});

const recoverRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/recover",
  component: lazyRouteComponent(() => import("./pages/enrolment/recover-page.tsx"), "RecoverPage"),
});

/** Nobody goes on without a session; where to come back to afterwards is kept. */
async function signedIn(href: string): Promise<Me> {
  try {
    return await queryClient.query({ ...meQuery, staleTime: "static" });
  } catch (failure) {
    if (failure instanceof Refusal && failure.status === 401)
      throw redirect({ to: "/sign-in", search: { next: href } });
    throw failure;
  }
}

const enrolRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/enrol",
  validateSearch: (search: Record<string, unknown>): { readonly next?: string | undefined } => ({
    next: text(search["next"]),
  }),
  errorComponent: PageFailed,
  beforeLoad: async ({ location }) => {
    await signedIn(location.href);
  },
  component: lazyRouteComponent(() => import("./pages/enrolment/enrol-page.tsx"), "EnrolPage"),
});

const confirmRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/confirm",
  validateSearch: (search: Record<string, unknown>): { readonly next?: string | undefined } => ({
    next: text(search["next"]),
  }),
  errorComponent: PageFailed,
  beforeLoad: async ({ location }) => {
    await signedIn(location.href);
  },
  component: lazyRouteComponent(() => import("./pages/sign-in/confirm-page.tsx"), "ConfirmPage"),
});

const cliRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/cli",
  validateSearch: parseCliSearch,
  errorComponent: PageFailed,
  beforeLoad: async ({ location }) => {
    if (lacksSecondFactor(await signedIn(location.href))) {
      throw redirect({ to: "/confirm", search: { next: location.href } });
    }
  },
  component: lazyRouteComponent(() => import("./pages/cli/cli-page.tsx"), "CliPage"),
});

const signedInRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "signed-in",
  component: Shell,
  errorComponent: PageFailed,
  notFoundComponent: NotFoundPage,
  beforeLoad: async ({ location }) => {
    const me = await signedIn(location.href);
    if (mustEnrol(me) && location.pathname !== "/security") {
      throw redirect({ to: "/enrol", search: { next: location.href } });
    }
    if (lacksSecondFactor(me)) throw redirect({ to: "/confirm", search: { next: location.href } });
  },
});

const inboxRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/inbox",
  validateSearch: parseInboxSearch,
  component: lazyRouteComponent(() => import("./pages/inbox/inbox-page.tsx"), "InboxPage"),
});

const requestsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/requests",
  validateSearch: parseRequestsSearch,
  component: lazyRouteComponent(() => import("./pages/requests/requests-page.tsx"), "RequestsPage"),
});

const requestRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/requests/$id",
  validateSearch: parseRequestSearch,
  component: lazyRouteComponent(() => import("./pages/request/request-page.tsx"), "RequestPage"),
});

const policiesRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies",
  validateSearch: parsePoliciesSearch,
  component: lazyRouteComponent(() => import("./pages/policies/policies-page.tsx"), "PoliciesPage"),
});

const newPolicyRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/new-policy",
  component: lazyRouteComponent(() => import("./pages/policies/new-policy-page.tsx"), "NewPolicyPage"),
});

const policyRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies/$key",
  component: lazyRouteComponent(() => import("./pages/policies/policy-page.tsx"), "PolicyPage"),
});

const policyVersionRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/policies/$key/$version",
  component: lazyRouteComponent(() => import("./pages/policies/policy-version-page.tsx"), "PolicyVersionPage"),
});

const securityRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/security",
  component: lazyRouteComponent(() => import("./pages/security/security-page.tsx"), "SecurityPage"),
});

const peopleRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/people",
  validateSearch: parsePeopleSearch,
  component: lazyRouteComponent(() => import("./pages/people/people-page.tsx"), "PeoplePage"),
});

const personRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/people/$id",
  component: lazyRouteComponent(() => import("./pages/people/person-page.tsx"), "PersonPage"),
});

const machinesRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/machines",
  component: lazyRouteComponent(() => import("./pages/machines/machines-page.tsx"), "MachinesPage"),
});

const tokensRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/tokens",
  validateSearch: parseTokensSearch,
  component: lazyRouteComponent(() => import("./pages/machines/tokens-page.tsx"), "TokensPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings/settings-page.tsx"), "SettingsPage"),
});

const organizationsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/organizations",
  component: lazyRouteComponent(() => import("./pages/organizations/organizations-page.tsx"), "OrganizationsPage"),
});

const deployRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy",
  validateSearch: parseDeploySearch,
  component: lazyRouteComponent(() => import("./pages/deploy/deploy-queue-page.tsx"), "DeployQueuePage"),
});

const deployRequestRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/requests/$id",
  component: lazyRouteComponent(() => import("./pages/deploy/deploy-request-page.tsx"), "DeployRequestPage"),
});

const deployAppsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/apps",
  component: lazyRouteComponent(() => import("./pages/deploy/deploy-apps-page.tsx"), "DeployAppsPage"),
});

const deployAppRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/apps/$rack/$app",
  validateSearch: parseDeployAppSearch,
  component: lazyRouteComponent(() => import("./pages/deploy/deploy-app-page.tsx"), "DeployAppPage"),
});

const deployRacksRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/racks",
  component: lazyRouteComponent(() => import("./pages/deploy/racks-page.tsx"), "RacksPage"),
});

const deployIntegrationsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/integrations",
  component: lazyRouteComponent(() => import("./pages/deploy/integrations-page.tsx"), "IntegrationsPage"),
});

const deployTokensRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/deploy/tokens",
  component: lazyRouteComponent(() => import("./pages/deploy/deploy-tokens-page.tsx"), "DeployTokensPage"),
});

/** Addresses that older tools and mails carry. */
const redirects = [
  { from: "/", to: "/inbox" },
  { from: "/approvals", to: "/inbox" },
  { from: "/deploy-approval-requests", to: "/deploy" },
  { from: "/rack", to: "/deploy/racks" },
  { from: "/integrations", to: "/deploy/integrations" },
  { from: "/settings/integrations", to: "/deploy/integrations" },
  { from: "/users", to: "/people" },
  { from: "/api-tokens", to: "/tokens" },
  { from: "/account/security", to: "/security" },
  { from: "/me", to: "/security" },
] as const;

const redirectRoutes = redirects.map(({ from, to }) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path: from,
    beforeLoad: () => {
      throw redirect({ to });
    },
  }),
);

const olderRequestRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deploy-approval-requests/$id",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/deploy/requests/$id", params: { id: params.id } });
  },
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  loginRoute,
  setupRoute,
  invitationRoute,
  recoverRoute,
  enrolRoute,
  confirmRoute,
  cliRoute,
  ...redirectRoutes,
  olderRequestRoute,
  signedInRoute.addChildren([
    inboxRoute,
    requestsRoute,
    requestRoute,
    policiesRoute,
    newPolicyRoute,
    policyRoute,
    policyVersionRoute,
    securityRoute,
    peopleRoute,
    personRoute,
    machinesRoute,
    tokensRoute,
    settingsRoute,
    organizationsRoute,
    deployRoute,
    deployRequestRoute,
    deployAppsRoute,
    deployAppRoute,
    deployRacksRoute,
    deployIntegrationsRoute,
    deployTokensRoute,
  ]),
]);

export const router = createRouter({
  routeTree,
  basepath: "/app",
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }

  interface HistoryState {
    /** The list a request was opened from, for the way back. */
    from?: "inbox";
  }
}
