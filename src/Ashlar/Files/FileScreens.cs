using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What people see of files.</summary>
static class FileScreens
{
    /// <summary>The checksum, as far as there is one of the whole content.</summary>
    public static string Checksum(FileEntry entry) => entry.Sha256 is { } hash ? $"sha256 {hash}" : $"tag {entry.Tag}";

    /// <summary>A directory ends in a slash.</summary>
    public static string PathOf(FileEntry entry) => IsDirectory(entry) && entry.Path != "/" ? $"{entry.Path}/" : entry.Path;

    public static bool IsDirectory(FileEntry entry) => entry.Kind == FileEntryKinds.Directory;

    public static void WriteChanged(Invocation invocation, FileEntry entry, string what) => invocation.WriteChange(
        entry, ApiJson.Strict.FileEntry, [entry.Path], (writer, _) => writer.WriteLine(ScreenText.Of(what)));
}
