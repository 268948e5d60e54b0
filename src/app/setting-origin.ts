/** Where the installation's own value of a setting comes from (docs/spec/console.md R-ADM-1). */
export type SettingOrigin =
  { readonly by: "environment"; readonly variable: string } | { readonly by: "file" } | { readonly by: "default" };
