import './styles/base.css';
import './styles/screens.css';
import { start } from './app';

start(document.getElementById('app')!);
