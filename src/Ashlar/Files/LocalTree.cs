using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Files of this machine below a directory. Links to directories are passed by, so that it ends.</summary>
static class LocalTree
{
    /// <summary>All below, directories before what is in them, relative to the directory, with slashes.</summary>
    public static IEnumerable<(string Relative, bool IsDirectory)> Walk(string directory)
    {
        var left = new Stack<string>([""]);
        while (left.TryPop(out var at))
        {
            var found = FileSystems.Real.List(Join(directory, at));
            var below = new List<string>();
            foreach (var name in found)
            {
                var relative = at.Length == 0 ? name : $"{at}/{name}";
                var path = Join(directory, relative);
                if (FileSystems.Real.DirectoryExists(path))
                {
                    if (IsLink(path, name)) continue;
                    yield return (relative, true);
                    below.Add(relative);
                }
                else if (FileSystems.Real.FileExists(path))
                {
                    yield return (relative, false);
                }
            }

            for (var i = below.Count - 1; i >= 0; i--) left.Push(below[i]);
        }
    }

    public static string Join(string directory, string relative) =>
        relative.Length == 0 ? directory : $"{directory.TrimEnd('/')}/{relative}";

    static bool IsLink(string path, string name) =>
        FileSystems.Real.ResolveLinks(path)
            != $"{FileSystems.Real.ResolveLinks(Path.GetDirectoryName(path) ?? "/").TrimEnd('/')}/{name}";
}
