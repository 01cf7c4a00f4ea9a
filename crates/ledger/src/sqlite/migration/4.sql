-- The public keys of an application (a JWK set), and how often it may ask for something.
ALTER TABLE applications ADD COLUMN jwks TEXT;
ALTER TABLE applications ADD COLUMN limit_requests INTEGER;
ALTER TABLE applications ADD COLUMN limit_per_s INTEGER;
