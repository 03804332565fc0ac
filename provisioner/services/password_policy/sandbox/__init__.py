"""How AWS answers where moto does not."""
