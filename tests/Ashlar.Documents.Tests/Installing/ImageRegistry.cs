using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ashlar.Documents.Tests;

/// <summary>A registry on loopback, as far as images are fetched from one (OCI distribution): it has a base image, "base:1".</summary>
sealed class ImageRegistry : IAsyncDisposable
{
    readonly BaseImage image = new();
    readonly WebApplication application;

    ImageRegistry()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.MapGet("/v2/", () => Results.Ok());
        application.MapMethods("/v2/base/{kind}/{name}", [HttpMethods.Get, HttpMethods.Head], (string name) =>
            image.Find(name == "1" ? image.List : name) is { } found ? Results.Bytes(found.Content, found.Type) : Results.NotFound());
    }

    /// <summary>"localhost:PORT".</summary>
    public string Host => $"localhost:{new Uri(application.Urls.Single()).Port}";

    public static async Task<ImageRegistry> StartAsync()
    {
        var registry = new ImageRegistry();
        await registry.application.StartAsync();
        return registry;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
