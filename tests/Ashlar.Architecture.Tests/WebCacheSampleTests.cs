using System.Diagnostics;

namespace Ashlar.Architecture.Tests;

/// <summary>The web sample as anybody builds it, from packages: what it has cached survives SIGKILL.</summary>
[Collection(PackageTestsCollection.Name)]
public sealed class WebCacheSampleTests(PackedFeed feed)
{
    [Fact]
    public async Task A_report_is_there_again_after_the_program_was_killed()
    {
        feed.CopySample("WebCache", "WebCache/nuget.config");
        await feed.Dotnet(feed.DirectoryPath, "build", "WebCache", "-c", "Release", "-o", feed["program"]);
        using var client = new HttpClient();
        string first;
        using (var program = await WebProgram.Start(feed["program/WebCache.dll"], feed["cache"]))
        {
            first = await client.GetStringAsync(program.At("reports/sales"));
            Assert.Equal(first, await client.GetStringAsync(program.At("reports/sales")));
            Assert.Equal("Healthy", await client.GetStringAsync(program.At("health")));
            await Waiting.UntilAsync(
                async () => (await client.GetStringAsync(program.At("cache"))).Contains("\"sets\":1", StringComparison.Ordinal),
                "the report reaches the disk");
        }

        using (var program = await WebProgram.Start(feed["program/WebCache.dll"], feed["cache"]))
        {
            Assert.Equal(first, await client.GetStringAsync(program.At("reports/sales")));
            using var deleted = await client.DeleteAsync(program.At("reports"));
            Assert.True(deleted.IsSuccessStatusCode);
            Assert.NotEqual(first, await client.GetStringAsync(program.At("reports/sales")));
        }
    }

    /// <summary>The program in a process of its own, on a port that the system chose; killed when disposed.</summary>
    sealed class WebProgram : IDisposable
    {
        const string Listening = "Now listening on: ";

        readonly Process process;
        readonly string address;

        WebProgram(Process process, string address) => (this.process, this.address) = (process, address);

        public string At(string path) => $"{address}/{path}";

        public static async Task<WebProgram> Start(string program, string cache)
        {
            var start = new ProcessStartInfo("dotnet", [program, "--urls", "http://127.0.0.1:0", "--Cache", cache])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            var process = Process.Start(start)!;
            var said = new List<string>();
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                said.Add(line);
                var at = line.IndexOf(Listening, StringComparison.Ordinal);
                if (at < 0) continue;
                // What it says later must not fill the pipe.
                _ = process.StandardOutput.ReadToEndAsync();
                return new WebProgram(process, line[(at + Listening.Length)..].Trim());
            }

            process.Dispose();
            throw new InvalidOperationException($"The program ended:\n{string.Join('\n', said)}");
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
