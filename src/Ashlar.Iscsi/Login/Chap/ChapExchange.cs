using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>
/// CHAP of one login (RFC 7143, 12.1.3), as steps of text: the initiator says that it will, names hashes, answers our challenge, and may
/// send one of its own. Knows no socket. Invariant: nothing is answered with our secret before the initiator has proved that it knows its
/// own, so nobody can have challenges of others answered by us.
/// </summary>
sealed class ChapExchange(ChapDemand demand, IEntropySource entropy)
{
    const string Algorithm = "CHAP_A", Identifier = "CHAP_I", Challenge = "CHAP_C", Name = "CHAP_N", Response = "CHAP_R";

    const int ChallengeBytes = 32;

    readonly byte[] challenge = new byte[ChallengeBytes];
    byte identifier;
    ChapAlgorithm? algorithm;

    /// <summary>Whether a key is one of the exchange.</summary>
    public static bool IsKey(string key) => key.StartsWith("CHAP_", StringComparison.Ordinal);

    /// <summary>As whom the initiator has proved to come; null until then.</summary>
    public string? User { get; private set; }

    /// <summary>Takes what the initiator says, and answers.</summary>
    /// <exception cref="NegotiationException">It does not prove who it is.</exception>
    public void Step(IReadOnlyDictionary<string, string> keys, IBufferWriter<byte> answer)
    {
        if (User is not null) throw Refused("CHAP goes on after its end");
        if (algorithm is null) Begin(keys, answer);
        else Verify(algorithm, keys, answer);
    }

    void Begin(IReadOnlyDictionary<string, string> keys, IBufferWriter<byte> answer)
    {
        if (!keys.TryGetValue(Algorithm, out var list) || keys.Count != 1) throw Refused($"{Algorithm} was due, and nothing else");
        algorithm = ChapAlgorithm.Choose(list) ?? throw Refused("no hash in common");
        Span<byte> drawn = stackalloc byte[1];
        entropy.Fill(drawn);
        identifier = drawn[0];
        entropy.Fill(challenge);
        TextPairs.Append(answer, Algorithm, algorithm.Number.ToString(CultureInfo.InvariantCulture));
        TextPairs.Append(answer, Identifier, identifier.ToString(CultureInfo.InvariantCulture));
        TextPairs.Append(answer, Challenge, BinaryText.Write(challenge));
    }

    void Verify(ChapAlgorithm hash, IReadOnlyDictionary<string, string> keys, IBufferWriter<byte> answer)
    {
        if (!keys.TryGetValue(Name, out var user) || !keys.TryGetValue(Response, out var text))
            throw Refused($"{Name} and {Response} were due");
        if (!BinaryText.TryRead(text, out var response) || response.Length != hash.DigestBytes)
            throw Refused($"{Response} is not {hash.DigestBytes} bytes");
        ChapAccount? proved = null;
        // All are tried in full, so that the time tells nobody which users there are.
        foreach (var account in demand.Accounts)
        {
            var isRight = CryptographicOperations.FixedTimeEquals(response, hash.Respond(identifier, account.Secret, challenge));
            if (isRight & account.User == user) proved ??= account;
        }
        if (proved is null) throw Refused("user or secret is wrong");
        Answer(hash, proved, keys, answer);
        User = proved.User;
    }

    // An initiator that wants to know who we are gets an answer, or the login ends: silence would let somebody else pass for us.
    void Answer(ChapAlgorithm hash, ChapAccount account, IReadOnlyDictionary<string, string> keys, IBufferWriter<byte> answer)
    {
        if (!keys.TryGetValue(Challenge, out var text) && !keys.ContainsKey(Identifier)) return;
        if (!keys.TryGetValue(Identifier, out var number)
            || !byte.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var theirs)
            || text is null
            || !BinaryText.TryRead(text, out var theirChallenge))
        {
            throw Refused("the challenge of the initiator is none");
        }
        // Our own challenge, sent back to us, would have us make the response to it (12.1.3).
        if (CryptographicOperations.FixedTimeEquals(theirChallenge, challenge)) throw Refused("the challenge is our own");
        if (account is not { TargetUser: { } name, TargetSecret: { } secret })
            throw Refused("the target has no secret of its own to prove");
        TextPairs.Append(answer, Name, name);
        TextPairs.Append(answer, Response, BinaryText.Write(hash.Respond(theirs, secret, theirChallenge)));
    }

    static NegotiationException Refused(string problem) => new($"CHAP: {problem}", LoginStatus.AuthenticationFailure);
}
