using System.Security.Cryptography;
using Ashlar.Simulation;

namespace Ashlar.Nvme.Tests;

/// <summary>The host's part of DH-HMAC-CHAP, on a queue that is connected.</summary>
sealed class AuthenticatingHost(NvmeHost host, string subsystem, string hostName = NvmeHost.HostName)
{
    const uint Protocol = 0xE901_0100;

    const int RoomBytes = 4096;

    static readonly SeededEntropy Entropy = new(7);

    public ushort Transaction { get; set; } = 11;

    public byte[] Hashes { get; set; } = [1, 2, 3];

    public byte[] Groups { get; set; } = [0, 1];

    /// <summary>What the controller has chosen.</summary>
    public ChallengeMessage Challenge { get; private set; }

    /// <summary>Proves that it has a secret, and asks for that of the controller where it is given one.</summary>
    /// <returns>Why it has failed.</returns>
    public AuthenticationFailure Authenticate(DhChapSecret secret, DhChapSecret? controllerSecret = null)
    {
        var reply = Answer(secret, controllerSecret is not null, out var expect);
        Send(reply).MustSucceed();
        var message = Receive();
        if (AuthenticationMessage.KindOf(message) == AuthenticationMessageKind.Failure1) return AuthenticationMessage.FailureOf(message);
        Assert.Equal(AuthenticationMessageKind.Success1, AuthenticationMessage.KindOf(message));
        Assert.Equal(Transaction, AuthenticationMessage.TransactionOf(message));
        if (controllerSecret is null)
        {
            Assert.Null(SuccessMessage.ReadResponse(message));
            return AuthenticationFailure.None;
        }
        Assert.Equal(expect(controllerSecret), SuccessMessage.ReadResponse(message));
        Send(SuccessMessage.WriteSecond(Transaction)).MustSucceed();
        return AuthenticationFailure.None;
    }

    /// <summary>Negotiates, and makes a reply to the challenge.</summary>
    public byte[] Answer(DhChapSecret secret, bool asks, out Func<DhChapSecret, byte[]> expect)
    {
        Send(new NegotiateMessage(Hashes, Groups, 0).Write(Transaction)).MustSucceed();
        var message = Receive();
        Assert.Equal(AuthenticationMessageKind.Challenge, AuthenticationMessage.KindOf(message));
        var challenge = Challenge = ChallengeMessage.Read(message);
        Assert.Equal(Transaction, challenge.Challenge.Transaction);
        Assert.NotEqual(0u, challenge.Challenge.Number);
        var hash = DhChapHash.Find(challenge.HashId)!;
        var group = DhGroup.Find(challenge.GroupId)!;
        var exponent = group.IsNone ? 0 : group.DrawExponent(Entropy);
        var shared = group.IsNone ? null : group.SharedValue(exponent, challenge.PublicValue);
        var mine = new DhChapChallenge(RandomNumberGenerator.GetBytes(hash.SizeBytes), 99, Transaction);
        expect = ours => DhChapResponse.OfController(hash, ours, hostName, subsystem, mine, shared);
        return new ReplyMessage(
            DhChapResponse.OfHost(hash, secret, hostName, subsystem, challenge.Challenge, shared), asks ? mine : null,
            group.IsNone ? [] : group.PublicValue(exponent)).Write(Transaction);
    }

    public Reply Send(byte[] message, uint protocol = Protocol) =>
        host.Run(host.Fabrics(FabricsType.AuthenticationSend, protocol, (uint)message.Length, 0), message);

    public Reply TryReceive(int roomBytes = RoomBytes, uint protocol = Protocol) =>
        host.Run(host.Fabrics(FabricsType.AuthenticationReceive, protocol, (uint)roomBytes, 0), readBytes: roomBytes);

    public byte[] Receive() => TryReceive().MustSucceed().Data;
}
