using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Architecture.Tests;

/// <summary>A piece of C# that a document shows.</summary>
/// <param name="Document">The document.</param>
/// <param name="Line">Number of the first line there.</param>
/// <param name="Text">What it shows.</param>
sealed record Snippet(string Document, int Line, string Text)
{
    public string Place => $"{Document}:{Line}";
}

/// <summary>What documents show in C#, as a program that runs all of it.</summary>
static partial class Snippets
{
    const string Fence = "```csharp", End = "```", NotRun = "<!-- not run:";

    /// <summary>
    /// All snippets of the documents of these packages but those that say in a comment above why they are not run. What documents show of
    /// hosts and caches are pieces of web programs.
    /// </summary>
    public static IReadOnlyList<Snippet> Of(IEnumerable<string> packages) =>
        packages.Select(package => $"src/{package}/README.md")
            .Concat(["README.md", "docs/key-value.md", "docs/operating/key-value.md"])
            .SelectMany(document => OfDocument(Path.Combine(Repository.Root, document)))
            .ToArray();

    /// <summary>The files of a program that runs each in a directory of its own, and says so.</summary>
    public static IReadOnlyDictionary<string, string> ToProgram(IReadOnlyList<Snippet> snippets)
    {
        var files = new Dictionary<string, string> { ["Circumstances.cs"] = Circumstances };
        var program = new StringBuilder();
        for (var number = 0; number < snippets.Count; number++)
        {
            files[$"Snippet{number}.cs"] = ToClass(number, snippets[number]);
            program.AppendLine($"await new Snippet{number}($\"{{args[0]}}/{number}\").Run();");
            program.AppendLine($"Console.WriteLine(\"ran {snippets[number].Place}\");");
        }

        files["Program.cs"] = program.ToString();
        return files;
    }

    static IEnumerable<Snippet> OfDocument(string path)
    {
        var lines = File.ReadAllLines(path);
        for (var at = 0; at < lines.Length; at++)
        {
            if (lines[at] != Fence) continue;
            var isRun = at == 0 || !lines[at - 1].StartsWith(NotRun, StringComparison.Ordinal);
            var start = at + 1;
            while (lines[++at] != End)
            {
            }

            if (isRun) yield return new(Path.GetRelativePath(Repository.Root, path), start + 1, string.Join('\n', lines[start..at]));
        }
    }

    // Imports go to the top of the file, and paths below the snippet's directory. What earlier snippets declared comes from the base class,
    // which a declaration of the same name hides.
    static string ToClass(int number, Snippet snippet)
    {
        var lines = snippet.Text.Split('\n');
        var imports = lines.Where(line => Import().IsMatch(line)).ToArray();
        var body = AbsolutePath().Replace(string.Join('\n', lines.Where(line => !Import().IsMatch(line))), "At(\"${path}\")");
        var verbatim = snippet.Text.Replace("\"", "\"\"", StringComparison.Ordinal);
        return $$"""
            using Ashlar.KeyValue;
            using Ashlar.Storage;
            {{string.Join('\n', imports.Where(line => line is not ("using Ashlar.KeyValue;" or "using Ashlar.Storage;")))}}

            #pragma warning disable CS1998, CS8321
            sealed class Snippet{{number}}(string root) : Circumstances(root, @"{{verbatim}}")
            {
                public async Task Run()
                {
            #line {{snippet.Line + imports.Length}} "{{snippet.Document}}"
            {{body}}
                    await Task.CompletedTask;
                }
            }
            """;
    }

    const string Circumstances =
        """"
        using System.Text.RegularExpressions;
        using Ashlar.KeyValue;

        // What snippets take for granted: an open store, keys and values, accounts, backups, an archive, and a moment to go back to.
        class Circumstances
        {
            protected static readonly byte[] key = [1, 2, 3];
            protected static readonly byte[] value = [4, 5, 6];
            protected static readonly byte[] changed = [7];
            protected static readonly byte[] other = [8];
            protected static readonly byte[] session = [9];
            protected static readonly byte[] from = [10];
            protected static readonly byte[] to = [11];
            protected readonly WriteBatch batch = new();
            protected readonly KeyValueStore store;
            protected readonly KeyValueBackups backups;
            protected readonly DateTimeOffset beforeTheMistake;
            readonly string root;

            protected Circumstances(string root, string text)
            {
                this.root = root;
                Directory.CreateDirectory(root);
                store = KeyValueStore.Open($"{root}/ambient");
                store.Put("a"u8, "1"u8);
                var named = Regex.Match(text, "\"(/backup/[^\"]*)\"");
                var backupPath = At(named.Success ? named.Groups[1].Value : "/backups");
                backups = new KeyValueBackups(backupPath);
                if (Regex.Match(text, @"FileSystems\.Real\.Open\(""([^""]*)") is { Success: true } file)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(At(file.Groups[1].Value))!);
                    File.WriteAllText(At(file.Groups[1].Value), "data");
                }

                var archived = Regex.Match(text, @"KeyValueStore\.Open\(""([^""]*)""[^;]*LogArchiveDirectory = ""([^""]*)""");
                if (!archived.Success) return;
                using var earlier = KeyValueStore.Open(
                    At(archived.Groups[1].Value), new() { LogArchiveDirectory = At(archived.Groups[2].Value) });
                earlier.Put("a"u8, "1"u8);
                earlier.BackUp(backupPath);
                earlier.Put("b"u8, "2"u8);
                earlier.ArchiveLog();
                beforeTheMistake = DateTimeOffset.UtcNow;
                earlier.Put("c"u8, "mistake"u8);
                earlier.ArchiveLog();
            }

            protected string At(string path) => root + path;

            protected static long Amount(byte[]? value) => value is null ? 0 : BitConverter.ToInt64(value);

            protected static byte[] Bytes(long amount) => BitConverter.GetBytes(amount);

            protected static void Keep<T>(T one) => GC.KeepAlive(one);

            protected static void Use(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
            {
            }
        }
        """";

    [GeneratedRegex(@"^using [\w.]+;\s*$", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Import();

    [GeneratedRegex(@"""(?<path>/[a-z][^""\n]*)""(?!u8)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex AbsolutePath();
}
