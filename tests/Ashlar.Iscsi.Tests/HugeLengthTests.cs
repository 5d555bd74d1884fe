using System.Globalization;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Transport.Tests.Simulated;
using Xunit.Abstractions;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>
/// A huge number in each word of each header, and in each key: the answer is one of the protocol, and no memory is taken by what is only
/// claimed.
/// </summary>
public sealed class HugeLengthTests(ITestOutputHelper output) : IDisposable
{
    const long MostGarbage = 512 << 10, MostRented = 1 << 20;

    readonly SimulatedTarget target = new();
    long rented;

    // A valid PDU of each kind that initiators send.
    public static TheoryData<string> Requests => [.. Kinds.Keys];

    static readonly Dictionary<string, Func<InitiatorScript, InitiatorScript>> Kinds = new(StringComparer.Ordinal)
    {
        [nameof(Opcode.NopOut)] = script => script.Ping(new byte[64]),
        [nameof(Opcode.ScsiCommand)] = script => script.Command(Initiator.Cdb(0x2A, 8, 1), 512, writes: true, immediate: new byte[512]),
        [nameof(Opcode.TaskManagementRequest)] = script => script.Raw(Header(
            header => new TaskManagementRequestPdu(true, TaskManagementFunction.AbortTask, 7, 3, 100, 1, 99).Write(header, new byte[8]))),
        [nameof(Opcode.TextRequest)] = script => script.Text("SendTargets=\0"),
        [nameof(Opcode.DataOut)] = script => script.Command(Initiator.Cdb(0x2A, 8, 1), 512, writes: true)
            .DataOut(1, 0, 0, new byte[512], isLast: true),
        [nameof(Opcode.LogoutRequest)] = script => script.Raw(Header(
            header => new LogoutRequestPdu(true, LogoutRequestPdu.CloseSession, 7, 0, 101, 1).Write(header))),
        [nameof(Opcode.SnackRequest)] = script => script.Raw(Header(header => Bhs.Write(header, Opcode.SnackRequest, Bhs.FinalBit, 0, 7))),
    };

    [Theory, MemberData(nameof(Requests))]
    public void A_huge_number_in_any_word_of_a_header_is_answered_or_ends_the_session_and_allocates_nothing(string kind)
    {
        var (cases, cut, mostGarbage, mostRented) = (0, 0, 0L, 0L);
        var opened = InitiatorScript.Open().Length;
        for (var offset = 4; offset <= Bhs.SizeBytes - 4; offset += 4)
        {
            foreach (var number in HugeNumbers.OfBytes(sizeof(uint)))
            {
                var bytes = Kinds[kind](InitiatorScript.Open()).Bytes;
                var at = kind == nameof(Opcode.DataOut) ? opened + Bhs.SizeBytes : opened;
                HugeNumbers.Write(bytes.AsSpan(at + offset, sizeof(uint)), number);
                var (end, garbage, _) = Play(bytes, zeros: 300 << 10);
                Assert.True(garbage <= MostGarbage, $"{kind}, word {offset} = {number} costs {garbage} bytes of garbage");
                Assert.True(rented <= MostRented, $"{kind}, word {offset} = {number} takes {rented} bytes");
                if (offset == 4 && (number & Bhs.MaxDataSegmentBytes) > SessionParameters.OwnMaxRecvDataSegmentLength)
                    Assert.Contains($"{SessionParameters.OwnMaxRecvDataSegmentLength} is the most", end, StringComparison.Ordinal);
                if (end is not null) cut++;
                (cases, mostGarbage, mostRented) = (cases + 1, Math.Max(mostGarbage, garbage), Math.Max(mostRented, rented));
            }
        }

        Others();
        Assert.Equal(11 * HugeNumbers.OfBytes(sizeof(uint)).Count(), cases);
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "huge lengths (iscsi)", kind, cases, cut, mostGarbage, mostRented, failures = 0 }));
    }

    [Fact]
    public void A_login_that_announces_huge_data_is_cut_off_at_its_header()
    {
        for (var offset = 4; offset <= Bhs.SizeBytes - 4; offset += 4)
        {
            foreach (var number in HugeNumbers.OfBytes(sizeof(uint)))
            {
                var bytes = new InitiatorScript().Login(Initiator.Names() + InitiatorScript.Keys).Bytes;
                HugeNumbers.Write(bytes.AsSpan(offset, sizeof(uint)), number);
                var (end, garbage, _) = Play(bytes, zeros: 0);
                Assert.True(garbage <= MostGarbage, $"login, word {offset} = {number} costs {garbage} bytes of garbage");
                if (offset == 4) Assert.NotNull(end);
            }
        }

        Others();
    }

    [Fact]
    public void A_huge_number_as_the_value_of_any_key_is_settled_to_one_that_can_be_kept_or_rejected()
    {
        var (cases, settled) = (0, 0);
        foreach (var key in KeyRules.Keys.Where(key => key is not ("InitiatorName" or "TargetName" or "SessionType" or "AuthMethod")))
        {
            foreach (var value in HugeNumbers.All.SelectMany(Spellings))
            {
                var text = $"{Initiator.Names("iqn.2026-11.test:slow")}{key}={value}\0";
                var script = new InitiatorScript().Login(text).Command([0]).Command(Initiator.Cdb(0x28, 0, 64), 64 * 512);
                var (end, garbage, taken) = Play(script.Bytes, zeros: 0);
                Assert.Null(end);
                Assert.True(garbage <= MostGarbage, $"{key}={value} costs {garbage} bytes of garbage");
                Assert.True(rented <= MostRented, $"{key}={value} takes {rented} bytes");
                var pdus = InitiatorScript.Read(taken);
                Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(pdus[0].Header).Status);
                // Whatever was settled, the session works.
                Assert.Equal(64 * 512, pdus.Where(pdu => pdu.Opcode == Opcode.DataIn).Sum(pdu => pdu.Data.Length));
                if (AnswerTo(key, pdus[0].Text) is { } answer && long.TryParse(answer, CultureInfo.InvariantCulture, out var number))
                {
                    Assert.InRange(number, 0, 1 << 24);
                    settled++;
                }
                cases++;
            }
        }

        Others();
        Assert.InRange(settled, 3, cases);
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "huge lengths (iscsi)", kind = "keys", keys = KeyRules.Keys.Count, cases, settled, failures = 0 }));
    }

    /// <summary>Whoever teaches the target another request adds it to the kinds.</summary>
    [Fact]
    public void Every_request_of_initiators_is_among_the_kinds() => Assert.Empty(
        Enum.GetValues<Opcode>().Where(opcode => (int)opcode < 0x20 && opcode != Opcode.LoginRequest).Select(opcode => $"{opcode}")
            .Except(Kinds.Keys));

    public void Dispose() => target.Dispose();

    static string? AnswerTo(string key, string text) =>
        text.Split('\0').FirstOrDefault(pair => pair.StartsWith($"{key}=", StringComparison.Ordinal))?[(key.Length + 1)..];

    static IEnumerable<string> Spellings(ulong number)
    {
        yield return number.ToString(CultureInfo.InvariantCulture);
        yield return $"0x{number:x}";
        yield return $"-{number}";
    }

    static byte[] Header(Action<byte[]> write)
    {
        var header = new byte[Bhs.SizeBytes];
        write(header);
        return header;
    }

    (string? End, long Garbage, byte[] Taken) Play(byte[] script, long zeros)
    {
        rented = 0;
        var client = new SimulatedClient(target.Clock, script)
        {
            Zeros = zeros,
            Closes = true,
            MostKept = 64 << 10,
            Observe = () => rented = Math.Max(rented, target.Buffers.RentedBytes),
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        var end = target.Play(client);
        var garbage = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.DoesNotContain(target.Reports, report => report.Contains("of our own", StringComparison.Ordinal));
        Assert.Equal((0, 0), (target.Buffers.RentedBytes, target.Leases));
        return (end, garbage, client.Taken);
    }

    void Others()
    {
        var script = InitiatorScript.Open().Command(Initiator.Cdb(0x28, 0, 1), 512);
        var client = new SimulatedClient(target.Clock, script.Bytes) { Closes = true };
        Assert.Null(target.Play(client));
        Assert.Equal(512, InitiatorScript.Read(client.Taken)[^1].Data.Length);
    }
}
