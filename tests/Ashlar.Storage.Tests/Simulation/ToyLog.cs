using System.Buffers.Binary;
using System.Text;
using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Simulation;

/// <summary>
/// The smallest thing that promises durability: an append-only log of texts. Together with <see cref="ToyLogCrashTests"/> it shows
/// how crash tests are written.
/// </summary>
/// <remarks>Record: CRC-32C of length and text, length in bytes, text.</remarks>
sealed class ToyLog : IDisposable
{
    public const string Directory = "/log";

    const string FilePath = Directory + "/records";
    const int HeaderBytes = 8;

    readonly IFile file;
    long end;

    ToyLog(IFile file) => this.file = file;

    public static ToyLog Open(IFileSystem disk, bool ignoresChecksums = false)
    {
        // Crash order: the name becomes durable before the first append is acknowledged, so acknowledged means findable.
        if (!disk.DirectoryExists(Directory)) disk.CreateDirectory(Directory);
        disk.SyncDirectory("/");
        var log = new ToyLog(disk.Open(FilePath, FileOpenMode.OpenOrCreate));
        disk.SyncDirectory(Directory);
        log.Recover(ignoresChecksums);
        return log;
    }

    public List<string> Records { get; } = [];

    public void Append(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var record = new byte[HeaderBytes + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), bytes.Length);
        bytes.CopyTo(record, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Compute(record.AsSpan(4)));
        file.Write(record, end);
        file.Sync();
        end += record.Length;
        Records.Add(text);
    }

    public void Dispose() => file.Dispose();

    void Recover(bool ignoresChecksums)
    {
        var content = new byte[file.LengthBytes];
        file.Read(content, 0);
        while (end + HeaderBytes < content.Length)
        {
            var record = content.AsSpan((int)end);
            var length = BinaryPrimitives.ReadInt32LittleEndian(record[4..]);
            if (length <= 0 || length > record.Length - HeaderBytes) break;
            var isWhole = BinaryPrimitives.ReadUInt32LittleEndian(record) == Crc32C.Compute(record[4..(HeaderBytes + length)]);
            if (!isWhole && !ignoresChecksums) break;
            Records.Add(Encoding.UTF8.GetString(record.Slice(HeaderBytes, length)));
            end += HeaderBytes + length;
        }

        // A torn tail must not be taken for a record once more was appended behind it.
        if (end == content.Length) return;
        file.SetLength(end);
        file.Sync();
    }
}
