import { Clerk } from "@clerk/clerk-js";

const clerk = new Clerk(import.meta.env.VITE_CLERK_PUBLISHABLE_KEY);
await clerk.load({ telemetry: false });

// Each call asks for the token again: it is good for a minute, and Clerk's script keeps a fresh one.
async function call(path) {
  const token = await clerk.session?.getToken();
  return fetch(import.meta.env.VITE_API + path, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
}

const who = document.querySelector("#who");
const signIn = document.querySelector("#sign-in");
const signOut = document.querySelector("#sign-out");
signIn.onclick = () => clerk.redirectToSignIn({ redirectUrl: location.href });
signOut.onclick = () => clerk.signOut({ redirectUrl: "/" });

const response = await call("/me");
signIn.hidden = response.status !== 401;
signOut.hidden = !response.ok;
who.textContent = response.ok ? (await response.json()).user : `nobody (${response.status})`;
