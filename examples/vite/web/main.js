import { Clerk } from "@clerk/clerk-js";

const clerk = new Clerk(import.meta.env.VITE_CLERK_PUBLISHABLE_KEY);
await clerk.load({ telemetry: false });

const who = document.querySelector("#who");
const signIn = document.querySelector("#sign-in");
const signOut = document.querySelector("#sign-out");
signIn.onclick = () => clerk.redirectToSignIn({ redirectUrl: location.href });
signOut.onclick = () => clerk.signOut({ redirectUrl: "/" });

const response = await fetch("/api/me");
signIn.hidden = response.status !== 401;
signOut.hidden = !response.ok;
who.textContent = response.ok ? (await response.json()).user : `nobody (${response.status})`;
