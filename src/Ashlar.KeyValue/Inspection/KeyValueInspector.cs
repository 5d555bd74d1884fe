using System.Buffers.Binary;
using System.Globalization;
using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Inspection;
using Ashlar.KeyValue.SortedTable;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>What an inspection of a file found.</summary>
/// <param name="Entries">Entries whose keys hold.</param>
/// <param name="Problems">Places that do not hold.</param>
public readonly record struct InspectionResult(long Entries, long Problems);

/// <summary>
/// Describes a file of a store as text: manifest, segment of the log or of moved values, table, record of a backup, or part of
/// an archive. Damage is shown, not thrown,
/// and what lies behind it too. The file is only read; the store may be in use, but what is being written meanwhile looks torn.
/// </summary>
public static class KeyValueInspector
{
    /// <summary>Writes a line for each head, group, block, edit and entry: offset, what it is, and whether it holds.</summary>
    /// <param name="path">The file. What it is shows in its first bytes, or in its name.</param>
    /// <param name="output">Gets the text; lines that begin with "BAD" tell of damage.</param>
    /// <param name="options">The disk; null is <see cref="KeyValueOptions.Default"/>.</param>
    /// <exception cref="StorageException">The file is missing or cannot be read.</exception>
    /// <exception cref="UnsupportedFormatException">It is no file of a store.</exception>
    public static InspectionResult Inspect(string path, TextWriter output, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(output);
        options?.Validate();
        var fileSystem = options?.FileSystem ?? FileSystems.Real;
        using var file = fileSystem.Open(Path.GetFullPath(path), FileOpenMode.ReadOnly);
        var sink = new TextSink(output);
        var name = Path.GetFileName(path);
        Span<byte> magic = stackalloc byte[8];
        magic = magic[..file.Read(magic, 0)];
        if (magic.SequenceEqual("ASHLRMAN"u8) || name.StartsWith(StoreFiles.ManifestName, StringComparison.Ordinal))
            new ManifestScan(file, sink).Run();
        else if (magic.SequenceEqual("ASHLRBAK"u8)) InspectBackup(file, sink);
        else if (magic.SequenceEqual("ASHLRARC"u8) || name.StartsWith("part-", StringComparison.Ordinal)) new ArchiveScan(file, sink).Run();
        else if (magic.SequenceEqual("ASHLRLOG"u8) || name.StartsWith("log-", StringComparison.Ordinal)) new SegmentScan(file, sink).Run();
        else if (IsTable(file) || name.StartsWith("table-", StringComparison.Ordinal)) new TableScan(file, sink).Run();
        else throw new UnsupportedFormatException(file.Path, "this is no file of a key-value store");
        return new InspectionResult(sink.Entries, sink.Problems);
    }

    static bool IsTable(IFile file)
    {
        Span<byte> magic = stackalloc byte[8];
        var offset = file.LengthBytes - TableFooter.SizeBytes;
        return offset >= 0 && file.Read(magic, offset) == magic.Length && magic.SequenceEqual("ASHLRTBL"u8);
    }

    static void InspectBackup(IFile file, TextSink sink)
    {
        var bytes = new byte[Math.Min(file.LengthBytes, 256 << 20)];
        try
        {
            var record = BackupRecord.Decode(bytes.AsSpan(0, file.Read(bytes, 0)), file.Path);
            sink.Structure(0, $"backup {record.Number} of store {record.StoreId}, up to sequence {record.Sequence}");
            foreach (var part in record.Files)
                sink.Structure(0, $"  {part.Name} from {part.StoredName}, {part.LengthBytes} bytes, crc {part.Crc:x8}");
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(0, file.LengthBytes, damage.Message);
        }
    }

    sealed class TextSink(TextWriter output) : IScanSink
    {
        public long Entries { get; private set; }

        public long Problems { get; private set; }

        public void Structure(long offset, string description) =>
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{offset,12}  {description}"));

        public void Entry(in ScannedEntry entry)
        {
            Entries++;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{entry.Offset,12}    {Describe(entry)}{(entry.IsValueSound ? "" : ", value does not hold")}"));
        }

        public void Damage(long offset, long lengthBytes, string problem, string? keys = null)
        {
            Problems++;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"BAD {offset,8}  {lengthBytes} bytes: {problem}{(keys is null ? "" : $"; keys: {keys}")}"));
        }

        static string Describe(in ScannedEntry entry)
        {
            if (entry.Kind == EntryKind.RangeDelete)
                return $"{entry.Sequence} delete {KeyText.Of(RangeTombstone.Of(entry.Key, entry.Stored, entry.Sequence))}";
            var what = entry.Kind.IsPut() ? "put" : entry.Kind == EntryKind.Delete ? "delete" : $"kind {(byte)entry.Kind}";
            var text = $"{entry.Sequence} {what} {KeyText.Of(entry.Key)}";
            if (!entry.Kind.IsPut() || entry.Stored.Length < entry.Kind.MinStoredBytes()) return text;
            var rest = entry.Stored;
            if (entry.Kind.Expires())
            {
                text += $", expires at {BinaryPrimitives.ReadInt64LittleEndian(rest)} ms";
                rest = rest[Expiry.SizeBytes..];
            }

            if (!entry.Kind.HasPlace()) return $"{text}, {rest.Length} bytes";
            return text + string.Create(
                CultureInfo.InvariantCulture,
                $", {BinaryPrimitives.ReadInt32LittleEndian(rest[12..])} bytes in log {BinaryPrimitives.ReadUInt64LittleEndian(rest)} at "
                    + $"byte {BinaryPrimitives.ReadUInt32LittleEndian(rest[8..])}");
        }
    }
}
