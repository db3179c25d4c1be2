export { default } from './Ecg';
