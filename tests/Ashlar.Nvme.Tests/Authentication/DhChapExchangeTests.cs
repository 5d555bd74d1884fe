using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Nvme.Tests;

/// <summary>Messages that a host should not send: each is told why it is none, and none of them gets further.</summary>
public sealed class DhChapExchangeTests(ITestOutputHelper output)
{
    static readonly DhChapSecret Secret = DhChapVectorTests.Secret(1), Other = DhChapVectorTests.Secret(2);

    [Fact]
    public void What_is_not_known_or_not_in_its_place_is_refused_by_its_reason()
    {
        Expect(AuthenticationFailure.IncorrectPayload, []);
        Expect(AuthenticationFailure.IncorrectPayload, Negotiate([1], [0])[..7]);
        Expect(AuthenticationFailure.IncorrectPayload, Negotiate([1], [0])[..71]);
        Expect(AuthenticationFailure.IncorrectPayload, Changed(Negotiate([1], [0]), 10, 31));
        Expect(AuthenticationFailure.IncorrectPayload, Changed(Negotiate([1], [0]), 11, 31));
        Expect(AuthenticationFailure.IncorrectPayload, Changed(Negotiate([1], [0]), 7, 2));
        Expect(AuthenticationFailure.ProtocolUnusable, Changed(Negotiate([1], [0]), 7, 0));
        Expect(AuthenticationFailure.ProtocolUnusable, Changed(Negotiate([1], [0]), 8, 2));
        Expect(AuthenticationFailure.SecureChannelMismatch, Changed(Negotiate([1], [0]), 6, 1));
        Expect(AuthenticationFailure.HashUnusable, Negotiate([], [0]));
        Expect(AuthenticationFailure.HashUnusable, Negotiate([4, 0], [0]));
        Expect(AuthenticationFailure.GroupUnusable, Negotiate([1], []));
        Expect(AuthenticationFailure.GroupUnusable, Negotiate([1], [6]));
        Expect(AuthenticationFailure.IncorrectMessage, SuccessMessage.WriteSecond(1));
        Expect(AuthenticationFailure.IncorrectMessage, AuthenticationMessage.WriteFailure(
            AuthenticationMessageKind.Failure2, 1, AuthenticationFailure.Failed));
    }

    [Fact]
    public void A_reply_is_what_was_agreed_on_to_the_last_byte()
    {
        ExpectReply(AuthenticationFailure.None, 0, static reply => reply);
        ExpectReply(AuthenticationFailure.None, 1, static reply => reply);
        ExpectReply(AuthenticationFailure.IncorrectMessage, 0, static _ => Negotiate([1], [0]));
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => Changed(reply, 4, 9)); // Of another transaction.
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => Changed(reply, 6, 31));
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => Changed(reply, 8, 2));
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => Changed(reply, 8, 1)); // It asks, by number 0.
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => Changed(reply, 10, 1));
        ExpectReply(AuthenticationFailure.IncorrectPayload, 0, static reply => reply[..^1]);
        ExpectReply(AuthenticationFailure.IncorrectPayload, 1, static reply => Changed(reply, 11, 2));
        ExpectReply(AuthenticationFailure.IncorrectPayload, 1, static reply => Changed(Changed(reply, 11, 0), 10, 0)); // No value.
        ExpectReply(AuthenticationFailure.IncorrectPayload, 1, static reply => [.. reply[..^256], .. new byte[256]]);
        ExpectReply(AuthenticationFailure.Failed, 0, static reply => Changed(reply, 16, (byte)(reply[16] ^ 1)));
        ExpectReply(AuthenticationFailure.Failed, 1, static reply => Changed(reply, ^1, (byte)(reply[^1] ^ 1)));
    }

    [Fact]
    public void Our_own_challenge_is_none_of_a_host()
    {
        var exchange = Open();
        exchange.Take(Negotiate([1], [0]));
        var challenge = ChallengeMessage.Read(exchange.Outgoing.Span).Challenge;
        exchange.Sent();
        var response = DhChapResponse.OfHost(DhChapHash.Find(1)!, Secret, "h", "s", challenge, null);
        exchange.Take(new ReplyMessage(response, challenge with { Number = 1 }, []).Write(1));
        Assert.Equal(AuthenticationFailure.Failed, AuthenticationMessage.FailureOf(exchange.Outgoing.Span));
    }

    [Fact]
    public void A_secret_that_nobody_knows_takes_as_long_as_another()
    {
        var bytes = new byte[32];
        Assert.NotEqual(bytes, DhChapSecret.Of(bytes).KeyOf("h"));
    }

    [Fact]
    public void Nobody_comes_in_by_bytes_that_chance_has_made()
    {
        var seed = TestSeeds.First(nameof(Nobody_comes_in_by_bytes_that_chance_has_made));
        output.WriteLine($"seed {seed}");
        var random = new Random((int)seed);
        for (var i = 0; i < 3000; i++)
        {
            var exchange = Open();
            for (var step = 0; step < 4 && !exchange.IsOver; step++)
            {
                var message = step == 0 ? Negotiate([1, 2, 3], [0]) : new byte[random.Next(120)];
                if (step > 0) random.NextBytes(message);
                var kind = step == 0 ? AuthenticationMessageKind.Negotiate : AuthenticationMessageKind.Reply;
                if (message.Length > 6 && random.Next(4) > 0) AuthenticationMessage.WriteHeader(message.AsSpan(0, 6), kind, 1);
                if (message.Length > 6 && random.Next(3) == 0) message[random.Next(message.Length)] = (byte)random.Next(256);
                exchange.Take(message);
                if (!exchange.Outgoing.IsEmpty) exchange.Sent();
            }
            Assert.True(exchange.Proved is null && !exchange.HasSucceeded, $"seed {seed}, round {i}");
        }
    }

    static void Expect(AuthenticationFailure failure, byte[] first)
    {
        var exchange = Open();
        exchange.Take(first);
        MustFail(exchange, failure);
    }

    static void ExpectReply(AuthenticationFailure failure, byte group, Func<byte[], byte[]> change)
    {
        var exchange = Open();
        exchange.Take(Negotiate([1], [group]));
        var challenge = ChallengeMessage.Read(exchange.Outgoing.Span);
        exchange.Sent();
        var known = DhGroup.Find(group)!;
        var exponent = known.IsNone ? 0 : known.DrawExponent(new SeededEntropy(2));
        var shared = known.IsNone ? null : known.SharedValue(exponent, challenge.PublicValue);
        var response = DhChapResponse.OfHost(DhChapHash.Find(1)!, Secret, "h", "s", challenge.Challenge, shared);
        exchange.Take(change(new ReplyMessage(response, null, known.IsNone ? [] : known.PublicValue(exponent)).Write(1)));
        if (failure != AuthenticationFailure.None)
        {
            MustFail(exchange, failure);
            return;
        }
        exchange.Sent();
        Assert.Equal((true, "b"), (exchange.HasSucceeded, exchange.Proved!.Name));
    }

    static void MustFail(DhChapExchange exchange, AuthenticationFailure failure)
    {
        var message = exchange.Outgoing.Span;
        Assert.Equal(AuthenticationMessageKind.Failure1, AuthenticationMessage.KindOf(message));
        Assert.Equal(failure, AuthenticationMessage.FailureOf(message));
        exchange.Sent();
        Assert.True(exchange.IsOver && exchange.Proved is null && !exchange.HasSucceeded);
    }

    static DhChapExchange Open() => new(
        static () => [new("a", Other), new("b", Secret) { ControllerSecret = Other }], static _ => true, "h", "s", 5, new SeededEntropy(1),
        static power => power());

    static byte[] Negotiate(byte[] hashes, byte[] groups) => new NegotiateMessage(hashes, groups, 0).Write(1);

    static byte[] Changed(byte[] message, Index at, byte value)
    {
        var changed = message.ToArray();
        changed[at] = value;
        return changed;
    }
}
