using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Lines of a stream that may have no end, in bounded memory.</summary>
static class JsonLines
{
    const int MaxLineBytes = 64 * 1024;

    /// <summary>The lines as they come; each is there until the next is asked for.</summary>
    /// <exception cref="CommandException">The stream breaks off within a line, or a line is too long.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream, new(leaveOpen: true));
        while (true)
        {
            var read = await ReadAsync(reader, cancellationToken);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var line = rest.Slice(0, end);
                yield return line.IsSingleSegment ? line.First : line.ToArray();
                rest = rest.Slice(rest.GetPosition(1, end));
            }
            if (rest.Length > MaxLineBytes || (read.IsCompleted && rest.Length > 0)) throw CutOff();
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) break;
        }
        await reader.CompleteAsync();
    }

    /// <summary>What is said when the server does not come to the end.</summary>
    public static CommandException CutOff() => new(ExitCode.Failed, ProblemTypes.Failed, "the answer of the server is cut off");

    static async ValueTask<ReadResult> ReadAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken);
        }
        catch (IOException)
        {
            throw CutOff();
        }
    }
}
