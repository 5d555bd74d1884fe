using System.Numerics;
using System.Security.Cryptography;
using Ashlar.Simulation;

namespace Ashlar.Nvme.Tests;

/// <summary>
/// What DH-HMAC-CHAP reckons with, against values that another program has reckoned (Python's hmac and pow), whose primes are those by
/// which OpenSSL makes its keys.
/// </summary>
public sealed class DhChapVectorTests
{
    const string Host = NvmeHost.HostName, Subsystem = TestTarget.Name;

    static readonly BigInteger Mine = BigInteger.Pow(3, 200) % (BigInteger.One << 255);
    static readonly BigInteger Theirs = BigInteger.Pow(5, 150) % (BigInteger.One << 254);

    [Theory]
    [InlineData(1, "9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966",
        "82c8b52ad20c57b3028d0920bed99c85fe767ddbf0bad8773698e4421d0edcfc")]
    [InlineData(2, "0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17",
        "8b62e34149fc567bf8289ebad685c58f770140ee6030aff9b1fd29fd056be4eb")]
    [InlineData(3, "4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e",
        "f1afe5fef343be4e2a8ddcc8e4a06987d465f6c3cdcdaa166dec48ea37f9a4d6")]
    [InlineData(4, "227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7",
        "ebfe49f0389912286e01af583d345c4a86921cd2c57d4d128225e1a80d6eeabb")]
    [InlineData(5, "770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833",
        "eb110ed6bae1523fb93249bff2f3f93cbbbb57843d06134594a3913b4166f7f5")]
    public void Groups_are_those_of_RFC_7919(byte id, string primeHash, string sharedHash)
    {
        var group = DhGroup.Find(id)!;
        Assert.Equal(primeHash, Hash(group.Prime.ToByteArray(isUnsigned: true, isBigEndian: true)));
        var shared = group.SharedValue(Mine, group.PublicValue(Theirs))!;
        Assert.Equal(sharedHash, Hash(shared));
        Assert.Equal(shared, group.SharedValue(Theirs, group.PublicValue(Mine)));
        Assert.Equal(group.SizeBytes, shared.Length);
    }

    [Fact]
    public void A_value_that_makes_the_result_known_to_everybody_is_none()
    {
        var group = DhGroup.Find(1)!;
        foreach (var value in (BigInteger[])[0, 1, group.Prime - 1, group.Prime, group.Prime + 1])
            Assert.Null(group.SharedValue(Mine, value.ToByteArray(isUnsigned: true, isBigEndian: true)));
        Assert.Null(group.SharedValue(Mine, new byte[group.SizeBytes + 1]));
        Assert.NotNull(group.SharedValue(Mine, [2])); // Zeros in front need not be sent.
        Assert.InRange((long)group.DrawExponent(new SeededEntropy(1)).GetBitLength(), group.ExponentBits, group.ExponentBits + 7);
    }

    [Theory]
    [InlineData(1, "bc8d094b3acaff67cabd0bcd0f49795a60670948e9712ef1b6c750b47839d1a3",
        "986132319a77a121caa3b8d665cb4ae64044e1dbfec422f8fe93345b073c5bd7",
        "4a1a80a8b73f5dec50e67b3fddf2c96697a14ebee9f6b136a699b34aab889412")]
    [InlineData(2, "1bf4c89ffd1295d7b9448ae845f98ed2ab529ce56f5d2103ba1db85792ce41dac2c0ce5d87dc8905f3d484c27ba03249",
        "e6158c0a3c7333f8fcdc553700920da951f1499e008c184d63065bc577adff95010a7b843286529a49678a4bd5c61dd3",
        "00f453e2e96412d6886d7cb5917770d08a2296b346fef19e335b04ba87f1a62744db223687f4c8ef061ec57d11d54e3b")]
    [InlineData(3,
        "db0330ccb991ee5e7aaebcb4ebd2d7276f4e79d6b213d79df35beed925b6d0c2c7d80bc86d16aaf503eb9d5acc68791c238dffeead1c41caa136948fcf6fc85a",
        "94b35d8623252157e841f6fccf777ee9865c2355a20e611ccdc66fab9c7864e1497ad2e5ca0fa99b4c3f64370d789183cc63b96fd8257126ded1e2c663184229",
        "d541b80c2227323b6dee271a1595807b1ee96e8c41090d9e57e7024f7efc111b844a0ad2bc5364395887cf482b3ceefe86da962eef771f9b81f2ae81eae3e396")]
    public void Responses_are_what_the_specification_says(byte id, string ofHost, string ofController, string withGroup)
    {
        var hash = DhChapHash.Find(id)!;
        var secret = Secret(id);
        var value = Enumerable.Range(0x80, hash.SizeBytes).Select(static n => (byte)n).ToArray();
        var challenge = new DhChapChallenge(value, 0x01020304, 0x0506);
        Assert.Equal(ofHost, Hex(DhChapResponse.OfHost(hash, secret, Host, Subsystem, challenge, null)));
        Assert.Equal(ofController, Hex(DhChapResponse.OfController(hash, secret, Host, Subsystem, challenge, null)));
        var group = DhGroup.Find(1)!;
        var shared = group.SharedValue(Mine, group.PublicValue(Theirs));
        Assert.Equal(withGroup, Hex(DhChapResponse.OfHost(hash, secret, Host, Subsystem, challenge, shared)));
    }

    [Fact]
    public void A_secret_is_what_nvme_cli_writes()
    {
        Assert.Equal("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", Hex(Secret(0).KeyOf(Host)));
        Assert.Equal("6ce1e4ea31e8331a4fe5826bfde17a5cd386b8f0338748919e279ba6c55bf727", Hex(Secret(1).KeyOf(Host)));
        Assert.Equal(
            "273824c90ec8051360660a152504d1a8367ad879e3e7f919fafaebaa3884e13ce8659bf9c9c552e5c38b0a26756d07d5", Hex(Secret(2).KeyOf(Host)));
        Assert.True(Secret(0).IsSame(Secret(1)));
        Assert.False(Secret(0).IsSame(Secret(2)));
    }

    [Theory]
    [InlineData("", "written")]
    [InlineData("twelve bytes or more", "written")]
    [InlineData("DHHC-1:00:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR", "written")]
    [InlineData("DHHC-1:00:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:x", "written")]
    [InlineData("DHHC-1:00:not base64:", "written")]
    [InlineData("DHHC-2:00:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:", "written")]
    [InlineData("DHHC-1:04:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:", "'04' is not the hash")]
    [InlineData("DHHC-1:02:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:", "has 48 bytes and a checksum; this one has 36")]
    [InlineData("DHHC-1:00:AAECAwQ=:", "32, 48 or 64")]
    [InlineData("DHHC-1:00:BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:", "does not match its checksum")]
    public void What_is_no_secret_is_refused_with_the_reason_and_not_shown(string text, string reason)
    {
        Assert.False(DhChapSecret.TryParse(text, out _, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("AQFB", problem, StringComparison.Ordinal);
    }

    /// <summary>The bytes 0, 1, 2 and so on, as a secret with one of the hashes.</summary>
    internal static DhChapSecret Secret(int hash)
    {
        string[] written =
        [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vcSEgBQ==",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P4zODhA=",
        ];
        Assert.True(DhChapSecret.TryParse($"DHHC-1:0{hash}:{written[hash]}:", out var secret, out var problem), problem);
        return secret;
    }

    static string Hash(byte[] data) => Hex(SHA256.HashData(data));

    static string Hex(byte[] data) => Convert.ToHexStringLower(data);
}
