// The page of the tests in realclerk_react_test.go: what an app with @clerk/react looks like.
import { ClerkProvider, OrganizationSwitcher, Show, SignIn, UserButton, useAuth, useReverification } from "@clerk/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";

const settings = document.documentElement.dataset;

function SignedIn() {
  const { userId, orgId, getToken } = useAuth();
  const [answer, setAnswer] = useState("");
  const change = useReverification(() => fetch("/sensitive", { method: "POST" }).then((r) => r.json()));
  const press = async () => {
    try {
      setAnswer(`changed: ${(await change()).changed}`);
    } catch (error) {
      setAnswer(`not changed: ${error.code ?? error}`);
    }
  };
  const call = async () => {
    const headers = { Authorization: `Bearer ${await getToken()}` };
    const response = await fetch(settings.api + "/me", { headers });
    setAnswer(`called ${response.status} ${await response.text()}`);
  };
  return (
    <>
      <p id="script">{userId} {orgId ?? "no organization"}</p>
      <OrganizationSwitcher />
      <UserButton />
      <button id="change" onClick={press}>Change something that matters</button>
      <button id="call" onClick={call}>Call the API</button>
      <p id="answer">{answer}</p>
    </>
  );
}

// The SDK looks for the scripts at https addresses only, unless it is told theirs.
const script = (name, file) => `${settings.proxy}/npm/@clerk/${name}@latest/dist/${file}`;

createRoot(document.querySelector("#root")).render(
  <ClerkProvider
    publishableKey={settings.key} proxyUrl={settings.proxy} telemetry={false}
    __internal_clerkJSUrl={script("clerk-js", "clerk.browser.js")} __internal_clerkUIUrl={script("ui", "ui.browser.js")}
  >
    <Show when="signed-out"><p id="script">nobody</p><SignIn routing="hash" forceRedirectUrl="/react" /></Show>
    <Show when="signed-in"><SignedIn /></Show>
  </ClerkProvider>,
);
