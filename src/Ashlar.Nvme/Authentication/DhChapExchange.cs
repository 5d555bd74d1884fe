using System.Numerics;
using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>
/// One authentication by DH-HMAC-CHAP (NVM Express Base 2.0, 8.13.5), as messages: the host negotiates, is challenged, replies, and is told
/// that it is believed; where it has asked who the controller is, it says at last that it believes that. Knows no socket.
/// </summary>
/// <remarks>
/// Invariant: nothing is answered with our secret before the host has proved that it knows its own, so nobody can have challenges of others
/// answered by us. What has failed stays so: another attempt is another connection. An exponent is drawn for each exchange and used for two
/// powers, so what their time tells of it is of no use afterwards; <see cref="BigInteger"/> takes no care of that by itself.
/// </remarks>
/// <param name="accounts">What the host may prove.</param>
/// <param name="admit">Lets in who has proved it; false where that cannot be.</param>
/// <param name="host">Name of the host.</param>
/// <param name="subsystem">Name of the subsystem.</param>
/// <param name="number">Of the challenge.</param>
/// <param name="entropy">Where the challenge and the exponent come from.</param>
/// <param name="reckon">Reckons a power, when it is its turn: who has proved nothing yet makes the server do that.</param>
sealed class DhChapExchange(
    Func<IReadOnlyList<DhChapAccount>> accounts, Func<DhChapAccount, bool> admit, string host, string subsystem, uint number,
    IEntropySource entropy, Func<Func<byte[]?>, byte[]?> reckon)
{
    enum Stage
    {
        Begins = 0,
        SendsChallenge,
        AwaitsReply,
        SendsSuccess,
        AwaitsSuccess,
        SendsFailure,
        IsOver,
    }

    Stage stage;
    ushort transaction;
    DhChapHash hash = DhChapHash.All[0];
    DhGroup? group;
    BigInteger exponent;
    DhChapChallenge challenge;
    byte[]? response; // Ours.
    bool awaitsSecond;
    byte[] outgoing = [];

    /// <summary>Who the host has proved to be; null until then, and for ever where it has not.</summary>
    public DhChapAccount? Proved { get; private set; }

    /// <summary>Both sides are satisfied.</summary>
    public bool HasSucceeded { get; private set; }

    /// <summary>Why it has failed; none where it has not.</summary>
    public AuthenticationFailure Failure { get; private set; }

    /// <summary>There is no message that may follow.</summary>
    public bool IsOver => stage == Stage.IsOver;

    /// <summary>The message that the host is to receive; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Outgoing => HasMessage ? outgoing : default;

    bool HasMessage => stage is Stage.SendsChallenge or Stage.SendsSuccess or Stage.SendsFailure;

    /// <summary>Takes a message of the host. What is wrong with it is told by the next one of ours.</summary>
    public void Take(ReadOnlySpan<byte> message)
    {
        if (message.Length < AuthenticationMessage.HeaderBytes)
        {
            Fail(AuthenticationFailure.IncorrectPayload);
            return;
        }
        var kind = AuthenticationMessage.KindOf(message);
        switch (kind)
        {
            case AuthenticationMessageKind.Negotiate when stage == Stage.Begins:
                transaction = AuthenticationMessage.TransactionOf(message);
                Negotiate(message);
                break;
            case AuthenticationMessageKind.Reply when stage == Stage.AwaitsReply:
                if (AuthenticationMessage.TransactionOf(message) == transaction) Verify(message);
                else Fail(AuthenticationFailure.IncorrectPayload);
                break;
            case AuthenticationMessageKind.Success2 when stage == Stage.AwaitsSuccess:
                if (AuthenticationMessage.TransactionOf(message) == transaction) Succeed();
                else Fail(AuthenticationFailure.IncorrectPayload);
                break;
            case AuthenticationMessageKind.Failure2 when stage is Stage.AwaitsReply or Stage.AwaitsSuccess:
                Failure = AuthenticationFailure.Failed;
                stage = Stage.IsOver;
                break;
            default:
                Fail(AuthenticationFailure.IncorrectMessage);
                break;
        }
    }

    /// <summary>The host receives the message.</summary>
    public void Sent()
    {
        switch (stage)
        {
            case Stage.SendsChallenge:
                stage = Stage.AwaitsReply;
                break;
            case Stage.SendsSuccess when awaitsSecond:
                stage = Stage.AwaitsSuccess;
                break;
            case Stage.SendsSuccess:
                Succeed();
                break;
            default:
                Invariant.Require(stage == Stage.SendsFailure);
                stage = Stage.IsOver;
                break;
        }
    }

    void Negotiate(ReadOnlySpan<byte> message)
    {
        var failure = NegotiateMessage.TryRead(message, out var negotiate);
        if (failure == AuthenticationFailure.None && negotiate.SecureChannel != 0) failure = AuthenticationFailure.SecureChannelMismatch;
        if (failure != AuthenticationFailure.None)
        {
            Fail(failure);
            return;
        }
        if (DhChapHash.Choose(negotiate.Hashes) is not { } chosen)
        {
            Fail(AuthenticationFailure.HashUnusable);
            return;
        }
        hash = chosen;
        group = DhGroup.Choose(negotiate.Groups);
        if (group is null)
        {
            Fail(AuthenticationFailure.GroupUnusable);
            return;
        }
        var value = new byte[hash.SizeBytes];
        entropy.Fill(value);
        challenge = new(value, number, transaction);
        if (!group.IsNone) exponent = group.DrawExponent(entropy);
        var ours = group.IsNone ? [] : reckon(() => group.PublicValue(exponent))!;
        outgoing = new ChallengeMessage(challenge, hash.Id, group.Id, ours).Write();
        stage = Stage.SendsChallenge;
    }

    void Verify(ReadOnlySpan<byte> message)
    {
        byte[]? shared = null;
        if (!ReplyMessage.TryRead(message, hash.SizeBytes, out var reply)
            || group!.IsNone != (reply.PublicValue.Length == 0)
            || (!group.IsNone && (shared = reckon(() => group.SharedValue(exponent, reply.PublicValue))) is null))
        {
            Fail(AuthenticationFailure.IncorrectPayload);
            return;
        }
        exponent = default;
        // All are tried in full, so that the time tells nobody which there are.
        DhChapAccount? proved = null;
        foreach (var account in accounts())
        {
            var expected = DhChapResponse.OfHost(hash, account.Secret, host, subsystem, challenge, shared);
            if (CryptographicOperations.FixedTimeEquals(expected, reply.Response)) proved ??= account;
        }
        if (proved is null || !TryAnswer(proved, reply.Challenge, shared) || !admit(proved))
        {
            Fail(AuthenticationFailure.Failed);
            return;
        }
        Proved = proved;
        outgoing = SuccessMessage.Write(transaction, hash.SizeBytes, response);
        stage = Stage.SendsSuccess;
    }

    // A host that wants to know who we are gets an answer, or this has failed: silence would let somebody else pass for us.
    bool TryAnswer(DhChapAccount account, DhChapChallenge? theirs, byte[]? shared)
    {
        if (theirs is not { } asked) return true;
        // Our own challenge is none of a host's.
        if (account.ControllerSecret is not { } secret
            || CryptographicOperations.FixedTimeEquals(asked.Value, challenge.Value))
        {
            return false;
        }
        response = DhChapResponse.OfController(hash, secret, host, subsystem, asked, shared);
        awaitsSecond = true;
        return true;
    }

    void Succeed()
    {
        HasSucceeded = true;
        stage = Stage.IsOver;
    }

    void Fail(AuthenticationFailure failure)
    {
        Failure = failure;
        outgoing = AuthenticationMessage.WriteFailure(AuthenticationMessageKind.Failure1, transaction, failure);
        stage = Stage.SendsFailure;
        exponent = default;
    }
}
