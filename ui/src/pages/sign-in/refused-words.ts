/** Why a sign-in at a provider came back without a session, by code: the address carries nothing else. */
const sentences: Readonly<Record<string, string>> = {
  login_state_invalid: "The sign-in took too long, was used before, or was started in another browser. Start it again.",
  id_token_invalid:
    "The provider’s answer could not be verified. Start the sign-in again; if it happens again, tell an administrator.",
  email_not_verified:
    "The provider does not vouch for your e-mail address. Have it verified there, then sign in again.",
  domain_not_allowed: "Addresses of your domain may not sign in here.",
  not_invited: "Nobody has invited you to this installation yet. Ask an administrator for an invitation.",
  identity_conflict:
    "This identity or its name belongs to somebody else here, or was unlinked. An administrator has to look at it.",
  identity_provider_unreachable: "The provider does not answer at the moment. Try again, or sign in another way.",
  identity_provider_misconfigured: "The provider is not set up correctly here. Tell an administrator.",
  person_locked: "Your account is locked. Ask an administrator.",
  person_suspended: "Your account is suspended. Ask an administrator.",
  org_suspended: "Your organization is suspended.",
  access_denied: "The provider was told not to let you in, or you cancelled there.",
};

export function refusedWords(code: string): string {
  return sentences[code] ?? "The sign-in was refused.";
}
