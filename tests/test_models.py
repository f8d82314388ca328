"""The networks: causality, streaming equals offline, and the special cases of the blend."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from rap_edge.config import LIVE, PAPER, TINY, AudioConfig, DiTConfig, VAEConfig
from rap_edge.errors import ConfigError
from rap_edge.models.audio import AudioEncoder
from rap_edge.models.cells import CELL, CellCodec, CellMoments
from rap_edge.models.checkpoint import load_checkpoint, save_checkpoint
from rap_edge.models.dit import AudioDiT, GuidedDiT, alpha_at, denoiser
from rap_edge.models.layers import HybridAttention
from rap_edge.models.model import RapModel, build_vae
from rap_edge.models.vae import VideoVAE

PLAIN = dataclasses.replace(TINY.vae, kind="plain")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """Give every parameter a random value, so that zero initialisation hides nothing."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.15)
    return module.eval().requires_grad_(False)


def vae_of(config: VAEConfig) -> VideoVAE:
    vae = shaken(build_vae(config))
    assert isinstance(vae, VideoVAE)
    return vae


@pytest.mark.parametrize("config", [TINY.vae, PLAIN], ids=["guided", "plain"])
class TestVAE:
    def test_first_latent_is_one_frame(self, config: VAEConfig) -> None:
        vae, video = vae_of(config), torch.rand(1, 9, 3, 64, 64)
        portrait = vae.portrait(video[:, 0])
        latents = vae.encode(video, portrait)
        assert latents.shape == (1, 3, config.channels, 2, 2)
        assert vae.decode(latents, portrait).shape == video.shape
        torch.testing.assert_close(vae.encode(video[:, :1], portrait), latents[:, :1])

    def test_encoder_and_decoder_are_causal(self, config: VAEConfig) -> None:
        vae, video = vae_of(config), torch.rand(1, 13, 3, 64, 64)
        portrait = vae.portrait(video[:, 0])
        latents = vae.encode(video, portrait)
        torch.testing.assert_close(vae.encode(video[:, :9], portrait), latents[:, :3])
        frames = vae.decode(latents, portrait)
        torch.testing.assert_close(vae.decode(latents[:, :2], portrait), frames[:, :5])

    def test_streaming_equals_offline(self, config: VAEConfig) -> None:
        vae, latents = vae_of(config), torch.randn(2, 4, config.channels, 2, 2)
        portrait = vae.portrait(torch.rand(2, 3, 64, 64))
        state, groups = vae.decoder_state(2), []
        for latent in latents.unbind(1):
            group, state = vae.decode_step(latent, portrait, state)
            groups.append(group)
        streamed = torch.cat(groups, 1)[:, config.time_stride - 1 :]
        torch.testing.assert_close(streamed, vae.decode(latents, portrait))

    def test_clips_of_a_wrong_length_are_refused(self, config: VAEConfig) -> None:
        vae = vae_of(config)
        with pytest.raises(ValueError, match="8 frames: expected a multiple of 4 plus one"):
            vae.encode(torch.rand(1, 8, 3, 64, 64), vae.portrait(torch.rand(1, 3, 64, 64)))


def test_plain_decoder_remembers_its_past() -> None:
    vae = vae_of(PLAIN)
    portrait = vae.portrait(torch.rand(1, 3, 64, 64))
    latents = torch.randn(1, 2, 8, 2, 2)
    other = torch.cat([latents[:, :1] + 1, latents[:, 1:]], 1)
    assert not torch.allclose(
        vae.decode(latents, portrait)[:, 1:], vae.decode(other, portrait)[:, 1:], atol=1e-4
    )


def test_zero_motion_shows_the_portrait() -> None:
    vae = build_vae(TINY.vae).eval()
    portrait = vae.portrait(torch.rand(1, 3, 64, 64))
    with torch.no_grad():
        vae.codec.synthesis.weight.zero_()
        vae.codec.synthesis.bias.zero_()
        vae.codec.synthesis.bias.unflatten(0, (-1, 4, CELL**2))[:, 2] = -2  # far from any lips
        vae.painter.paint.weight.zero_()
        frames = vae.decode(torch.zeros(1, 1, 8, 2, 2), portrait)
    torch.testing.assert_close(frames[:, 0], portrait.image, atol=1e-5, rtol=0)


def test_cells_are_coded_by_their_principal_components() -> None:
    basis = torch.linalg.qr(torch.randn(2 * 64, 5)).Q
    code = torch.randn(50, 5) * torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    maps = torch.nn.functional.pixel_shuffle((code @ basis.T)[..., None, None] + 0.5, 8)
    moments, codec = CellMoments(2), CellCodec(2, 5)
    moments.add(maps)
    share = codec.fit(moments)
    assert share.sum() == pytest.approx(1, abs=1e-4)
    coded = codec.encode(maps)
    torch.testing.assert_close(codec.decode(coded), maps, atol=1e-4, rtol=0)
    torch.testing.assert_close(coded.std((0, 2, 3), False), torch.ones(5), atol=1e-3, rtol=0)


@pytest.mark.parametrize("lookahead", [0, 4, 8, 16])
class TestAudio:
    def encoder(self, lookahead: int) -> tuple[AudioConfig, torch.nn.Module]:
        config = AudioConfig(width=16, dilations=(1, 2, 4), lookahead_hops=lookahead)
        return config, shaken(AudioEncoder(config, 4))

    def test_tokens_do_not_depend_on_the_window(self, lookahead: int) -> None:
        config, encoder = self.encoder(lookahead)
        hops = torch.randn(1, config.window_hops(12), 80)
        part = hops[:, 8 : 8 + config.window_hops(4)]
        torch.testing.assert_close(encoder(hops)[:, 4:8], encoder(part))

    def test_look_ahead_is_what_the_configuration_says(self, lookahead: int) -> None:
        config, encoder = self.encoder(lookahead)
        hops = torch.randn(1, config.window_hops(3), 80)
        left = config.left_hops()
        assert hops.shape[1] == left + 6 + lookahead
        changed = hops.clone()
        changed[:, left + 2 + lookahead :] += 1
        first, other = encoder(hops), encoder(changed)
        torch.testing.assert_close(first[:, 0], other[:, 0])
        changed[:, left + 1 + lookahead] += 1
        assert not torch.allclose(first[:, 0], encoder(changed)[:, 0])


def dit_inputs(n: int = 1) -> tuple[torch.Tensor, ...]:
    return (
        torch.randn(n, 5, 8, 2, 2),
        torch.randn(n, 32),
        torch.randn(n, 40, 32),
        torch.randn(n, 8, 2, 2),
    )


def test_patches_are_put_back() -> None:
    config = dataclasses.replace(TINY, dit=dataclasses.replace(TINY.dit, patch=2))
    dit, x = AudioDiT(config), torch.randn(2, 5, 8, 2, 2)
    torch.testing.assert_close(dit.unpatchify(dit.patchify(x)), x)


def test_blend_is_linear_in_depth_and_its_ends_are_pure() -> None:
    assert [alpha_at(i, DiTConfig(depth=5)) for i in range(5)] == [0, 0.25, 0.5, 0.75, 1]
    assert {alpha_at(i, DiTConfig(alpha_slope=0)) for i in range(6)} == {0.0}
    assert {alpha_at(i, DiTConfig(alpha_slope=0, alpha_offset=1)) for i in range(6)} == {1.0}


@pytest.mark.parametrize(("alpha", "sees_neighbour"), [(0.0, True), (1.0, False), (0.5, True)])
def test_window_attention_hears_its_own_latent_only(alpha: float, sees_neighbour: bool) -> None:
    attention = shaken(HybridAttention(32, 2, alpha))
    x, audio = torch.randn(1, 20, 32), torch.randn(1, 40, 32)
    other = audio.clone()
    other[:, 8:] += 1  # everything but the audio of latent 0
    first = attention(x, audio, 5)[:, :4]
    same = torch.allclose(first, attention(x, other, 5)[:, :4], atol=1e-6)
    assert same is not sees_neighbour


def test_hybrid_is_the_blend_of_its_branches() -> None:
    hybrid = shaken(HybridAttention(32, 2, 0.3))
    x, audio = torch.randn(2, 20, 32), torch.randn(2, 40, 32)
    parts = []
    for alpha in (0.3, 1.0, 0.0):
        hybrid.alpha = alpha
        parts.append(hybrid(x, audio, 5))
    torch.testing.assert_close(parts[0], 0.3 * parts[1] + 0.7 * parts[2])


def test_dropped_audio_is_not_heard() -> None:
    dit = shaken(AudioDiT(TINY))
    latent, time, tokens, reference = dit_inputs(2)
    dropped = torch.tensor([True, False])
    first = dit(latent, time, tokens, reference, dropped)
    second = dit(latent, time, tokens + 1, reference, dropped)
    torch.testing.assert_close(first[0], second[0])
    assert not torch.allclose(first[1], second[1])


def test_guidance_moves_away_from_what_is_predicted_without_audio() -> None:
    dit = shaken(AudioDiT(TINY))
    inputs = dit_inputs(2)
    spoken, free = dit(*inputs), dit(*inputs, torch.ones(2, dtype=torch.bool))
    torch.testing.assert_close(GuidedDiT(dit, 2.5)(*inputs), free + 2.5 * (spoken - free))
    assert denoiser(dit, 1.0) is dit


def test_live_has_about_ten_million_parameters() -> None:
    with torch.device("meta"):
        model = RapModel(LIVE)
    trained_only = sum(p.numel() for p in model.vae.motion_encoder.parameters())
    on_device = sum(p.numel() for p in model.parameters()) - trained_only
    assert 9e6 < on_device < 12e6


def test_paper_builds_on_the_meta_device_and_runs_a_block() -> None:
    with torch.device("meta"):
        model = RapModel(PAPER)
        tokens = 11 * 16 * 16
        block = model.dit.blocks[0]
        out = block(
            torch.zeros(1, tokens, 1536),
            torch.zeros(1, 11 * PAPER.tokens_per_latent, 1536),
            torch.zeros(1, 6, 1, 1536),
            *(torch.zeros(tokens, 64) for _ in range(2)),
            11,
        )
    assert out.shape == (1, 2816, 1536)
    assert len(model.dit.blocks) == 30
    assert model.dit.embed.in_features == 256
    assert 1.2e9 < sum(p.numel() for p in model.dit.parameters()) < 1.6e9


def test_checkpoints_come_back_as_they_were(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = RapModel(TINY)
    save_checkpoint(model, tmp_path)
    loaded = load_checkpoint(tmp_path)
    assert loaded.config == TINY
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def test_a_folder_without_a_checkpoint_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="is not a checkpoint"):
        load_checkpoint(tmp_path)


def test_a_plane_that_weighs_more_is_coded_better() -> None:
    maps = torch.randn(400, 2, 8, 8)
    maps[:, 1] *= 0.2
    errors = []
    for weight in (1.0, 20.0):
        moments, codec = CellMoments(2), CellCodec(2, 64)
        weights = torch.tensor([1.0, weight])
        moments.add(maps * weights[:, None, None])
        codec.fit(moments, weights)
        errors.append((codec.decode(codec.encode(maps)) - maps).square().mean((0, 2, 3)))
    assert errors[1][1] < 0.01 * errors[0][1]
    assert errors[1][0] > errors[0][0]
