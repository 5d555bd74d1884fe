namespace Ashlar.S3.Tests.Authentication;

/// <summary>Keys that sign are kept for what they are of, and for nothing else.</summary>
public sealed class SigningKeysTests
{
    [Fact]
    public void A_key_is_that_of_its_secret_day_and_region_however_often_it_is_asked_for()
    {
        var keys = new SigningKeys();
        string[] secrets = ["one", "two"], days = ["20260101", "20260102"], regions = ["us-east-1", "eu-west-1"];
        var signatures = new HashSet<string>(StringComparer.Ordinal);
        for (var turn = 0; turn < 2; turn++)
            foreach (var secret in secrets)
                foreach (var day in days)
                    foreach (var region in regions)
                    {
                        var scope = new SignatureScope("KEY", day, region, "s3");
                        var signature = keys.Of(secret, scope).SignHex("text");
                        Assert.Equal(new SigningKey(secret, scope).SignHex("text"), signature);
                        Assert.Equal(turn == 0, signatures.Add(signature));
                    }

        // Whose secret it is makes no difference; nor do very many.
        var mine = new SignatureScope("KEY", "20260101", "us-east-1", "s3");
        Assert.Same(keys.Of("one", mine), keys.Of("one", mine with { KeyId = "OTHER" }));
        for (var number = 0; number < 3000; number++) keys.Of(number.ToString(System.Globalization.CultureInfo.InvariantCulture), mine);
        Assert.Equal(new SigningKey("one", mine).SignHex("text"), keys.Of("one", mine).SignHex("text"));
    }
}
