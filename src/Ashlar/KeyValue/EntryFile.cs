using System.Buffers.Binary;
using System.Text;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>How a file of entries is written.</summary>
enum EntryFormat
{
    /// <summary>Key, tab, value, end of line.</summary>
    Lines = 0,

    /// <summary>Lengths and bytes.</summary>
    Binary,
}

/// <summary>Entries as <c>scan</c> writes them and <c>load</c> reads them: lines of text, or length and bytes.</summary>
// Binary: key length 4, key, value length 4, value; little-endian; again, to the end.
static class EntryFile
{
    public static void WriteBinary(Stream output, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, key.Length);
        output.Write(length);
        output.Write(key);
        BinaryPrimitives.WriteInt32LittleEndian(length, value.Length);
        output.Write(length);
        output.Write(value);
    }

    /// <summary>Reads binary entries.</summary>
    /// <exception cref="CommandException">The input ends within an entry, or a length is beyond the limits.</exception>
    public static IEnumerable<(byte[] Key, byte[] Value)> ReadBinary(Stream input, string name)
    {
        for (long entry = 1; ; entry++)
        {
            var head = new byte[4];
            var read = input.ReadAtLeast(head, 4, throwOnEndOfStream: false);
            if (read == 0) yield break;
            if (read < 4) throw EndsEarly(name, entry);
            var key = ReadPart(input, head, KeyValueOptions.KeyLimitBytes, name, entry);
            if (input.ReadAtLeast(head, 4, throwOnEndOfStream: false) < 4) throw EndsEarly(name, entry);
            yield return (key, ReadPart(input, head, KeyValueOptions.ValueLimitBytes, name, entry));
        }
    }

    /// <summary>Reads lines; empty ones are skipped.</summary>
    /// <exception cref="CommandException">A line is not a key, a tab and a value.</exception>
    public static IEnumerable<(byte[] Key, byte[] Value)> ReadLines(Stream input, EntryEncoding encoding, string name)
    {
        using var reader = new StreamReader(input, new UTF8Encoding(false, throwOnInvalidBytes: true));
        for (long number = 1; ReadLine(reader, name, number) is { } line; number++)
        {
            if (line.Length == 0) continue;
            var tab = line.IndexOf('\t');
            if (tab < 0) throw Bad(name, $"line {number}: expected a key, a tab and a value");
            yield return (Decode(line[..tab]), Decode(line[(tab + 1)..]));

            byte[] Decode(string word)
            {
                try
                {
                    return EntryText.FromLine(word, encoding);
                }
                catch (FormatException e)
                {
                    throw Bad(name, $"line {number}: {e.Message}");
                }
            }
        }
    }

    /// <summary>A file, or standard input.</summary>
    public static Stream OpenInput(Terminal terminal, string path) =>
        path == "-" ? terminal.OpenIn() : new FileReader(FileSystems.Real.Open(TypedPath.OfFile(path), FileOpenMode.ReadOnly));

    static string? ReadLine(StreamReader reader, string name, long number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException)
        {
            throw Bad(name, $"line {number} or one soon after it is not text", "binary entries need --format binary");
        }
    }

    static byte[] ReadPart(Stream input, byte[] head, int limit, string name, long entry)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(head);
        if (length > limit) throw Bad(name, $"entry {entry}: a length of {length} is beyond the limit of {limit} bytes");
        var bytes = new byte[length];
        if (input.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw EndsEarly(name, entry);
        return bytes;
    }

    static CommandException EndsEarly(string name, long entry) => Bad(name, $"ends within entry {entry}");

    static CommandException Bad(string name, string problem, string? hint = null) =>
        new(ExitCode.Failed, Api.ProblemTypes.Failed, $"{(name == "-" ? "standard input" : name)}: {problem}", hint);

    sealed class FileReader(IFile file) : Stream
    {
        long position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = file.Read(buffer, position);
            position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) file.Dispose();
            base.Dispose(disposing);
        }
    }
}
