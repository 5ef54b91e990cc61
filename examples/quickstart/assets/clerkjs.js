"use strict";

// The page with Clerk's own script: its components, and what it and the server say.

const show = (id, text) => { document.getElementById(id).textContent = text; };

async function server() {
  const response = await fetch("/me");
  const body = await response.json();
  show("server", response.ok ? [body.user, body.organization].filter(Boolean).join(" in ") : `nobody: ${body.errors[0].code}`);
}

async function start() {
  await Clerk.load({ telemetry: false, ui: { ClerkUI: window.__internal_ClerkUICtor }, signInForceRedirectUrl: location.href, afterSignOutUrl: location.href });
  let signedIn;
  Clerk.addListener(async ({ user, organization }) => {
    show("script", user ? [user.id, organization?.slug].filter(Boolean).join(" in ") : "nobody");
    await server();
    if (signedIn === Boolean(user)) return;
    signedIn = Boolean(user);
    document.getElementById("component").closest("section").hidden = signedIn;
    if (!signedIn) {
      Clerk.mountSignIn(document.getElementById("component"), { routing: "hash" });
      return;
    }
    Clerk.unmountSignIn(document.getElementById("component"));
    for (const mount of [Clerk.mountOrganizationSwitcher, Clerk.mountUserButton]) {
      mount.call(Clerk, document.getElementById("user").appendChild(document.createElement("div")));
    }
  });
}

start().catch((error) => show("script", error.message));
