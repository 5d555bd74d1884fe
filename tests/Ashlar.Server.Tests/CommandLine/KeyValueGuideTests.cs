using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>The commands of the guide work, one after the other, as they are written there.</summary>
public sealed class KeyValueGuideTests
{
    [Fact]
    public async Task Every_command_of_the_guide_succeeds_as_typed()
    {
        using var directory = new TemporaryDirectory();
        var commands = CommandsOf(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "key-value.md")));
        Assert.True(commands.Count > 15, $"only {commands.Count} commands were found");
        foreach (var line in commands)
        {
            Stream input = Stream.Null;
            foreach (var command in line.Split('|', StringSplitOptions.TrimEntries))
            {
                var words = command.Replace("./", $"{directory["."]}/", StringComparison.Ordinal)
                    .Replace("--generate 1000000", "--generate 1000", StringComparison.Ordinal)
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal("ashlar", words[0]);
                var (texts, errors, bytes) = (new StringWriter(), new StringWriter(), new MemoryStream());
                var source = input;
                var terminal = new Terminal
                {
                    Out = texts,
                    Error = errors,
                    In = TextReader.Null,
                    OpenIn = () => source,
                    OpenOut = () => bytes,
                    Environment = _ => null,
                };
                var exitCode = (int)await AshlarProgram.RunAsync(words[1..], terminal, CancellationToken.None);
                Assert.True(exitCode == 0, $"'{command}' ends with {exitCode}: {errors}{texts}");
                input = new MemoryStream(bytes.ToArray()); // Also of a stream that was closed.
            }
        }
    }

    static List<string> CommandsOf(string guide)
    {
        var start = guide.IndexOf("```sh\nashlar kv create", StringComparison.Ordinal);
        var end = guide.IndexOf("```\n", start + 5, StringComparison.Ordinal);
        return [.. guide[(start + 6)..end].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("  #")[0].TrimEnd())];
    }
}
