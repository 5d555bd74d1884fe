using System.Text.Json;
using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;
using Ashlar.Transport.Tests.Simulated;
using Xunit.Abstractions;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>
/// A huge number in each field of options and requests: the answer is the error of the protocol, and no memory is taken by what is only
/// claimed.
/// </summary>
public sealed class HugeLengthTests(ITestOutputHelper output) : IDisposable
{
    const ulong Size = 64 << 20;
    const long MostGarbage = 512 << 10, MostRentedUnasked = 1 << 20, MostRented = 3L * NbdProtocol.MaximumPayloadBytes;
    const string Cut = "cut";

    static readonly OptionCode[] WithName = [OptionCode.Info, OptionCode.Go, OptionCode.ListMetaContext, OptionCode.SetMetaContext];
    static readonly OptionCode[] WithQueries = [OptionCode.ListMetaContext, OptionCode.SetMetaContext];
    static readonly CommandCode[] Commands = [.. Enum.GetValues<CommandCode>().Where(one => one != CommandCode.Disconnect)];

    readonly SimulatedServer server = new();
    long most;

    [Fact]
    public void A_huge_number_in_any_field_is_answered_by_an_error_and_allocates_nothing()
    {
        var (cases, mostGarbage, mostRented) = (0, 0L, 0L);
        foreach (var field in Fields())
        {
            foreach (var number in HugeNumbers.OfBytes(field.Width))
            {
                var script = field.Script(number);
                // As much comes as was announced, as long as anybody would wait for it.
                var client = new SimulatedClient(server.Clock, script.Bytes)
                {
                    Zeros = field.HasPayload && number <= Size ? (long)number : 0,
                    Closes = true,
                    MostKept = 4096,
                    Observe = Observe,
                };
                most = 0;
                var before = GC.GetAllocatedBytesForCurrentThread();
                var end = server.Sessions.Play(client);
                var garbage = GC.GetAllocatedBytesForCurrentThread() - before;

                var answer = AnswerOf(client.Taken, end);
                Assert.True(field.Expected(number) == answer, $"{field.Name} = {number}: {answer} ({end})");
                Assert.True(garbage <= MostGarbage, $"{field.Name} = {number} costs {garbage} bytes of garbage");
                var allowed = answer == nameof(NbdError.None) ? MostRented : MostRentedUnasked;
                Assert.True(most <= allowed, $"{field.Name} = {number} takes {most} bytes");
                (cases, mostGarbage, mostRented) = (cases + 1, Math.Max(mostGarbage, garbage), Math.Max(mostRented, most));
            }

            Others();
        }

        Assert.Equal(0, server.Buffers.RentedBytes);
        Assert.InRange(cases, 200, int.MaxValue);
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "huge lengths (nbd)", fields = Fields().Count(), cases, mostGarbage, mostRented, failures = 0 }));
    }

    /// <summary>Whoever adds an option, a command or a number to a header adds it to the fields.</summary>
    [Fact]
    public void Every_number_of_a_header_is_among_the_fields()
    {
        static IEnumerable<string> NumbersOf(Type header) => header.GetProperties()
            .Where(property => property.PropertyType.IsPrimitive && property.Name != nameof(RequestHeader.Cookie))
            .Select(property => property.Name);
        var expected = Enum.GetNames<OptionCode>().SelectMany(option => NumbersOf(typeof(OptionHeader)).Select(name => $"{option}.{name}"))
            .Concat(Commands.SelectMany(command => NumbersOf(typeof(RequestHeader)).Select(name => $"{command}.{name}")));
        Assert.Empty(expected.Except(Fields().Select(field => field.Name)));
    }

    public void Dispose() => server.Dispose();

    static IEnumerable<Field> Fields()
    {
        foreach (var option in Enum.GetValues<OptionCode>())
        {
            yield return new($"{option}.{nameof(OptionHeader.LengthBytes)}", sizeof(uint), HasPayload: true,
                number => new NbdScript().Greet().Option(option, [], (uint)number),
                number => number > Handshake.MaxHagglingBytes || option == OptionCode.ExportName ? Cut
                    : number > Handshake.MaxOptionDataBytes ? nameof(OptionReplyCode.TooBig) : ShortAnswer(option));
        }
        foreach (var option in WithName)
            yield return Inner(option, "NameLengthBytes", sizeof(uint), number => [.. Bytes(number, 4), .. "disk"u8, .. new byte[6]]);
        foreach (var option in new[] { OptionCode.Info, OptionCode.Go })
            yield return Inner(option, "InfoCount", sizeof(ushort), number => [.. NbdClient.String("disk"), .. Bytes(number, 2), 0, 3]);
        foreach (var option in WithQueries)
        {
            yield return Inner(option, "QueryCount", sizeof(uint),
                number => [.. NbdClient.String("disk"), .. Bytes(number, 4), .. NbdClient.String("base:allocation")]);
            yield return Inner(option, "QueryLengthBytes", sizeof(uint),
                number => [.. NbdClient.String("disk"), .. Bytes(1, 4), .. Bytes(number, 4), .. "base:allocation"u8]);
        }
        foreach (var command in Commands)
        {
            var isWrite = command == CommandCode.Write;
            yield return new($"{command}.{nameof(RequestHeader.LengthBytes)}", sizeof(uint), HasPayload: isWrite,
                number => NbdScript.Open().Request(command, 0, (uint)number), number => OfLength(command, number));
            yield return new($"{command}.{nameof(RequestHeader.OffsetBytes)}", sizeof(ulong), HasPayload: false,
                number => NbdScript.Open().Request(command, number, command == CommandCode.Flush ? 0u : 512, isWrite ? 512 : 0),
                number => command == CommandCode.Flush ? nameof(NbdError.Invalid) : InRange(command, number <= Size - 512));
        }
    }

    static Field Inner(OptionCode option, string name, int width, Func<ulong, byte[]> data) =>
        new(
            $"{option}.{name}", width, HasPayload: false, number => new NbdScript().Greet().Option(option, data(number)),
            _ => nameof(OptionReplyCode.Invalid));

    // Zeros are no data that any option takes; those that have none of their own say so.
    static string ShortAnswer(OptionCode option) =>
        option == OptionCode.Abort ? nameof(OptionReplyCode.Ack) : nameof(OptionReplyCode.Invalid);

    static string OfLength(CommandCode command, ulong number) => command switch
    {
        CommandCode.Flush => nameof(NbdError.Invalid),
        CommandCode.Read when number > NbdProtocol.MaximumPayloadBytes => nameof(NbdError.Overflow),
        CommandCode.Write when number > Size => Cut,
        CommandCode.Write when number > NbdProtocol.MaximumPayloadBytes => nameof(NbdError.Invalid),
        _ => InRange(command, number <= Size),
    };

    static string InRange(CommandCode command, bool isInRange) => isInRange ? nameof(NbdError.None)
        : command is CommandCode.Write or CommandCode.WriteZeroes ? nameof(NbdError.NoSpace) : nameof(NbdError.Invalid);

    static byte[] Bytes(ulong number, int width)
    {
        var bytes = new byte[width];
        HugeNumbers.Write(bytes, number);
        return bytes;
    }

    /// <summary>The last thing that the server said.</summary>
    static string AnswerOf(ReadOnlySpan<byte> taken, string? end)
    {
        var options = new List<OptionReplyCode>();
        var replies = NbdScript.TakeAnswers(taken, options);
        if (end is not null && !end.Contains("ended in the middle", StringComparison.Ordinal)) return Cut;
        if (replies.Length >= SimpleReplyHeader.SizeBytes)
        {
            var errors = NbdScript.ErrorsOf(replies);
            return errors.Count == 0 ? nameof(NbdError.None) : $"{errors[^1]}"; // The data of a read is not kept to its end.
        }
        return options.Count == 0 ? Cut : $"{options[^1]}";
    }

    void Observe() => most = Math.Max(most, server.Buffers.RentedBytes);

    void Others()
    {
        var client = new SimulatedClient(server.Clock, NbdScript.Open(false).Request(CommandCode.Flush, 0, 0).Bytes) { Closes = true };
        Assert.Null(server.Sessions.Play(client));
        Assert.Equal([NbdError.None], NbdScript.ErrorsOf(NbdScript.TakeAnswers(client.Taken, [])));
    }

    /// <param name="Name">What it is in.</param>
    /// <param name="Width">Its bytes.</param>
    /// <param name="HasPayload">Whether it says how many bytes follow.</param>
    /// <param name="Script">A session with a number in it.</param>
    /// <param name="Expected">The answer to that.</param>
    sealed record Field(string Name, int Width, bool HasPayload, Func<ulong, NbdScript> Script, Func<ulong, string> Expected);
}
