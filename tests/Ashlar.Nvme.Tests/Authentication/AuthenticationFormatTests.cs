namespace Ashlar.Nvme.Tests;

/// <summary>Messages byte by byte: as the kernel of Linux, with which the numbers were tried, writes and reads them.</summary>
public sealed class AuthenticationFormatTests
{
    static readonly byte[] Hash = [.. Enumerable.Range(1, 32).Select(static n => (byte)n)];

    [Fact]
    public void Each_message_has_its_place_for_everything()
    {
        Assert.Equal(
            "0000000006050001" + "01000203" + "0102" + Zeros(28) + "000102" + Zeros(27),
            Hex(new NegotiateMessage([1, 2], [0, 1, 2], 0).Write(0x0506)));
        var challenge = new DhChapChallenge(Hash, 0x0A0B0C0D, 0x0506);
        Assert.Equal(
            "010100000605" + "2000" + "0101" + "0200" + "0d0c0b0a" + Hex(Hash) + "aabb",
            Hex(new ChallengeMessage(challenge, 1, 1, [0xAA, 0xBB]).Write()));
        Assert.Equal(
            "010200000605" + "2000" + "0100" + "0200" + "0d0c0b0a" + Hex(Hash) + Hex(Hash) + "aabb",
            Hex(new ReplyMessage(Hash, challenge, [0xAA, 0xBB]).Write(0x0506)));
        Assert.Equal(
            "010200000605" + "2000" + "0000" + "0000" + "00000000" + Hex(Hash) + Zeros(32),
            Hex(new ReplyMessage(Hash, null, []).Write(0x0506)));
        Assert.Equal("010300000605" + "2000" + "01" + Zeros(7) + Hex(Hash), Hex(SuccessMessage.Write(0x0506, 32, Hash)));
        Assert.Equal("010300000605" + "2000" + "00" + Zeros(7), Hex(SuccessMessage.Write(0x0506, 32, null)));
        Assert.Equal("010400000605" + Zeros(10), Hex(SuccessMessage.WriteSecond(0x0506)));
        Assert.Equal("00f1000006050101", Hex(AuthenticationMessage.WriteFailure(
            AuthenticationMessageKind.Failure1, 0x0506, AuthenticationFailure.Failed)));
        Assert.Equal("00f0000006050106", Hex(AuthenticationMessage.WriteFailure(
            AuthenticationMessageKind.Failure2, 0x0506, AuthenticationFailure.IncorrectPayload)));
    }

    static string Hex(byte[] data) => Convert.ToHexStringLower(data);

    static string Zeros(int bytes) => new('0', bytes * 2);
}
