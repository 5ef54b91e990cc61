// The server of the tests in realclerk_express_test.go: @clerk/express, which says in JSON whom it takes a request for.
// It reads Clerk's variables and CLERK_AUTHORIZED_PARTIES, and prints its port.
import { clerkClient, clerkMiddleware, getAuth } from "@clerk/express";
import express from "express";

const app = express();
app.disable("x-powered-by");

// What a test asks of the Backend API, by @clerk/backend: everybody with an address, and an end of their sessions.
app.get("/backend/:email", async (request, response) => {
  const users = await clerkClient.users.getUserList({ emailAddress: [request.params.email] });
  const ended = [];
  for (const user of users.data) {
    const sessions = await clerkClient.sessions.getSessionList({ userId: user.id, status: "active" });
    for (const session of sessions.data) ended.push((await clerkClient.sessions.revokeSession(session.id)).status);
  }
  const memberships = users.data[0] && (await clerkClient.users.getOrganizationMembershipList({ userId: users.data[0].id }));
  const ticket = users.data[0] && (await clerkClient.signInTokens.createSignInToken({ userId: users.data[0].id, expiresInSeconds: 60 }));
  const testing = await clerkClient.testingTokens.createTestingToken();
  response.json({
    users: users.data.map((user) => user.id), total: users.totalCount, ended, ticket: ticket?.token ?? "", testing: testing.token,
    organizations: memberships?.data.map((membership) => membership.organization.slug) ?? [],
  });
});

app.use(clerkMiddleware({ authorizedParties: process.env.CLERK_AUTHORIZED_PARTIES.split(",") }));
app.get("/machine", (request, response) => {
  const auth = getAuth(request, { acceptsToken: "any" });
  response.status(auth.isAuthenticated ? 200 : 401).json({
    type: auth.tokenType ?? "", id: auth.id ?? "", subject: auth.subject ?? "", user: auth.userId ?? "", organization: auth.orgId ?? "",
    client: auth.clientId ?? "", name: auth.name ?? "", scopes: auth.scopes ?? [],
  });
});
app.use((request, response) => {
  const { userId, sessionId, orgId, orgSlug, orgRole, orgPermissions, actor, factorVerificationAge } = getAuth(request);
  response.json({
    user: userId ?? "", session: sessionId ?? "", organization: orgId ?? "", slug: orgSlug ?? "", role: orgRole ?? "",
    permissions: [...(orgPermissions ?? [])].sort(), actor: actor?.sub ?? "", factors: factorVerificationAge ?? [],
  });
});
app.use((error, request, response, next) => response.status(500).json({ error: String(error.message) }));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
