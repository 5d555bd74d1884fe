using System.Buffers.Text;

namespace Ashlar.Storage;

/// <summary>Tells one start of this machine from the next: what the page cache holds does not outlive it.</summary>
public static class BootIdentity
{
    const string LinuxPath = "/proc/sys/kernel/random/boot_id";
    const int TextBytes = 36;

    /// <summary>The identity of the start that this process belongs to; null where the system does not tell.</summary>
    public static Guid? Current { get; } = Find();

    static Guid? Find()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            using var file = FileSystems.Real.Open(LinuxPath, FileOpenMode.ReadOnly);
            Span<byte> text = stackalloc byte[TextBytes];
            return file.Read(text, 0) == TextBytes && Utf8Parser.TryParse(text, out Guid id, out var read, 'D') && read == TextBytes
                ? id
                : null;
        }
        catch (Exception e) when (e is (AshlarException and not InvariantException) or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
