package clerktest

import "net/http"

// serveEnvironment describes the instance to Clerk's components: people sign in with a code sent by e-mail, a browser has
// one session, and apps may require people to verify again.
func (in *Instance) serveEnvironment(w http.ResponseWriter, _ *http.Request) {
	kind, home := "development", ""
	if in.live() {
		kind = "production"
	}
	if len(in.origins) > 0 {
		home = in.origins[0]
	}
	answerJSON(w, object{
		"object": "environment",
		"auth_config": object{
			"object": "auth_config", "single_session_mode": true, "reverification": true, "claimed_at": nil,
		},
		"display_config": object{
			"object": "display_config", "instance_environment_type": kind, "application_name": "clerktest", "theme": object{},
			"home_url": home, "sign_in_url": in.URL(SignInPage), "sign_up_url": in.URL(SignInPage),
			"after_sign_in_url": home, "after_sign_up_url": home, "after_sign_out_all_url": home, "after_sign_out_one_url": home,
			"after_create_organization_url": home, "after_leave_organization_url": home, "after_switch_session_url": home,
			"preferred_sign_in_strategy": "otp", "branded": false, "show_devmode_warning": false,
			"captcha_public_key": nil, "captcha_widget_type": nil, "captcha_heartbeat": false,
		},
		"user_settings":         userSettings(),
		"organization_settings": organizationSettings(in.hasOrganizations()),
		"maintenance_mode":      false,
	})
}

func userSettings() object {
	attributes := object{"email_address": object{
		"enabled": true, "required": true, "used_for_first_factor": true, "first_factors": []string{"email_code"},
		"used_for_second_factor": false, "second_factors": []string{}, "verifications": []string{"email_code"}, "verify_at_sign_up": true,
	}}
	for _, name := range []string{
		"phone_number", "username", "web3_wallet", "first_name", "last_name", "password", "authenticator_app", "backup_code", "passkey",
	} {
		attributes[name] = object{
			"enabled": false, "required": false, "used_for_first_factor": false, "first_factors": []string{},
			"used_for_second_factor": false, "second_factors": []string{}, "verifications": []string{}, "verify_at_sign_up": false,
		}
	}
	return object{
		"attributes": attributes, "social": object{}, "enterprise_sso": object{"enabled": false},
		"actions":           object{"create_organization": false, "delete_self": false},
		"sign_in":           object{"second_factor": object{"required": false, "enabled": false}},
		"sign_up":           object{"mode": "restricted", "progressive": true, "captcha_enabled": false, "custom_action_required": false},
		"passkey_settings":  object{"allow_autofill": false, "show_sign_in_button": false},
		"password_settings": object{}, "username_settings": object{},
	}
}

func organizationSettings(enabled bool) object {
	return object{
		"enabled": enabled, "max_allowed_memberships": 0, "force_organization_selection": false,
		"actions": object{"admin_delete": false}, "domains": object{"enabled": false, "enrollment_modes": []string{}, "default_role": nil},
		"slug": object{"disabled": false},
	}
}

func (in *Instance) hasOrganizations() bool {
	_, ok := in.people.find(func(p Person) bool { return len(p.memberships()) > 0 })
	return ok
}
