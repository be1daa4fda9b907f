/** Apart, so that it is loaded only where there is a file in YAML; by name, as the package has no such export. */
export { parse as parseYaml, YAMLError as YamlError } from 'yaml';
