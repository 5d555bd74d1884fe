using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>The one version that objects have, and its tag.</summary>
static class ObjectVersions
{
    public const string Only = "null";

    // A directory is an object without content, and has the MD5 of that.
    public const string EmptyTag = "d41d8cd98f00b204e9800998ecf8427e";

    public static string TagOf(NamespaceEntry entry) => entry.Kind == NamespaceEntryKind.Directory ? EmptyTag : entry.Tag;

    /// <summary>Refuses any version but the one that there is.</summary>
    public static void Require(string? version)
    {
        if (version is null or Only) return;
        throw version.Length == 0 ? S3Error.InvalidArgument.Because("The version is empty.") : S3Error.NoSuchVersion.Exception();
    }
}
