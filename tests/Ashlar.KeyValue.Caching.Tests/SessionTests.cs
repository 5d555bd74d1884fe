using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>Sessions of ASP.NET Core in the cache: a web server with a real socket, a client that keeps its cookie, and restarts.</summary>
public sealed class SessionTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_session_goes_on_after_the_server_was_restarted_on_the_same_directory()
    {
        var cookies = new CookieContainer();
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies });
        await using (var server = await Start())
        {
            Assert.Equal("1", await client.GetStringAsync(AddressOf(server)));
            Assert.Equal("2", await client.GetStringAsync(AddressOf(server)));
            await server.StopAsync();
        }

        Assert.Single(cookies.GetAllCookies());
        await using (var server = await Start())
        {
            Assert.Equal("3", await client.GetStringAsync(AddressOf(server)));
            using var stranger = new HttpClient();
            Assert.Equal("1", await stranger.GetStringAsync(AddressOf(server)));
            await server.StopAsync();
        }
    }

    async Task<WebApplication> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // The cookie is sealed by a key, which has to survive as well.
        builder.Services.AddDataProtection()
            .SetApplicationName("sessions")
            .PersistKeysToFileSystem(Directory.CreateDirectory(directory["keys"]));
        builder.Services.AddAshlarCache(directory["cache"]);
        builder.Services.AddSession();
        var server = builder.Build();
        server.UseSession();
        server.MapGet("/", (HttpContext context) =>
        {
            var visits = (context.Session.GetInt32("visits") ?? 0) + 1;
            context.Session.SetInt32("visits", visits);
            return context.Response.WriteAsync($"{visits}");
        });
        await server.StartAsync();
        return server;
    }

    static string AddressOf(WebApplication server) =>
        server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}
