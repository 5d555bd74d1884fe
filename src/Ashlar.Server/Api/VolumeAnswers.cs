using Ashlar.Api;
using Ashlar.Volumes;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>What is answered of volumes.</summary>
/// <param name="endpoints">Where clients find them.</param>
sealed class VolumeAnswers(Func<Endpoints> endpoints)
{
    /// <summary>A page of the volumes of a pool.</summary>
    public VolumeList List(ServedPool pool, HttpContext context)
    {
        var labels = LabelSelector.Of(context.Request);
        var (items, next) = Page.Of(context.Request).Take(
            pool.List().Where(info => labels.Holds(info.Attributes.Labels)), info => info.Name, context, labels.Query);
        return new() { Items = [.. items.Select(info => Resources.Volume(endpoints(), pool, info))], Next = next };
    }

    /// <summary>All that is known of one volume.</summary>
    public TaggedAnswer<Volume> One(ServedPool pool, string name)
    {
        var info = pool.Get(name);
        var (damaged, unverified) = (VolumeRanges.Of(pool.ListDamage(name)), VolumeRanges.Of(pool.ListUnverified(info.Id)));
        var volume = Resources.Volume(endpoints(), pool, info) with
        {
            Sessions = SessionObjects.Of(pool.FrontOf(name)),
            Damaged = damaged,
            Unverified = unverified,
            RangesAreCut = VolumeRanges.AreCut(damaged, info.DamagedBlocks, info.DamagedMapPieces)
                || VolumeRanges.AreCut(unverified, info.UnverifiedBlocks)
                ? true
                : null,
        };
        return new(volume, ApiJson.Strict.Volume, EntityTag.SettingsOf(info));
    }

    /// <summary>A volume that was created or changed.</summary>
    public TaggedAnswer<Volume> Changed(ServedPool pool, VolumeInfo info, int status = StatusCodes.Status200OK) =>
        new(Resources.Volume(endpoints(), pool, info), ApiJson.Strict.Volume, EntityTag.SettingsOf(info), status);
}
