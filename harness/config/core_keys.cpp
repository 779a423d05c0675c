#include "harness/config/core_keys.h"

#include "harness/config/key.h"

namespace sar {
namespace {

std::vector<Key> general_keys() {
  return {
      Key("seed", 0, "seed of the split; trial t trains with a seed derived from it and t")
          .at_least(0)
          .gap(57),
      Key("compute.device", "cpu", "cpu, cuda, or cuda:N"),
      Key("compute.precision",
          "fp32",
          "arithmetic of training and inference; auto: bf16 where the processor (AMX, AVX-512 "
          "BF16) or the GPU has it, else fp32")
          .one_of({"fp32", "tf32", "bf16", "auto"}),
      Key("control.with_tables",
          false,
          "tables of Dice are run together with their controls, unless methods are named")
          .added_later(),
      Key("compute.threads", 1, "threads of one worker; the count changes bits").between(1, 256),
      Key("compute.checkpoint_seconds", 60, "least time between two checkpoints of one stage")
          .at_least(0),
      Key("network.base_channels",
          32,
          "channels b of the first convolution; 19,073,665 parameters at 32")
          .between(1, 256)
          .gap(14),
      Key("network.upsampling",
          "transposed",
          "decoder upsampling: transposed convolution or nearest neighbour")
          .one_of({"transposed", "nearest"})
          .gap(14),
      Key("network.batch_norm_evaluation", "running", "statistics of BatchNorm at evaluation")
          .one_of({"running", "batch"})
          .gap(15),
  };
}

std::vector<Key> cube_keys() {
  return {
      Key("preprocess.spacing_mm", {1.0, 1.0, 1.0}, "voxel spacing of pre-training volumes, x y z")
          .at_least(0.01),
      Key("preprocess.clip_ct_hu", {-1000.0, 1000.0}, "CT intensities are clipped to this range"),
      Key("preprocess.clip_mri", {0.0, 4000.0}, "MRI intensities are clipped to this range").gap(6),
      Key("preprocess.normalization",
          "volume",
          "to [0,1] by the volume's own min and max, or by the clip range")
          .one_of({"volume", "range"})
          .gap(5),
      Key("preprocess.crop_nonzero_mri", true, "crop MRI volumes to their non-zero box first")
          .gap(7),
      Key("preprocess.crop_nonzero_ct", false, "crop CT volumes to their non-zero box first")
          .gap(7),
      Key("cubes.shape_voxels", {64, 64, 32}, "input of the network, x y z; multiples of 8")
          .between(8, 512)
          .gap(4),
      Key("cubes.small_per_case", 32, "cubes of 1/8 of the side per volume").at_least(0).gap(1),
      Key("cubes.medium_per_case", 16, "cubes of 1/4 of the side per volume").at_least(0).gap(1),
      Key("cubes.large_per_case", 16, "cubes of 1/2 of the side per volume").at_least(0).gap(1),
      Key("cubes.minimum_side_voxels", 8, "least side of a cube before resizing")
          .at_least(1)
          .gap(2),
      Key("cubes.scale_mode", "axis", "scale each axis, or one side from the volume's cube root")
          .one_of({"axis", "volume"})
          .gap(2),
      Key("cubes.scale_jitter", 0.0, "relative, uniform change of the side").between(0, 0.5).gap(2),
      Key("cubes.interpolation", "trilinear", "of the resize to the input shape")
          .one_of({"trilinear", "cubic"})
          .gap(3),
      Key("cubes.antialias", true, "Gaussian prefilter on axes that shrink").gap(3),
      Key("cubes.filter",
          "min_std",
          "rejects cubes: nearly constant ones, Models Genesis's lung rule, or none")
          .one_of({"min_std", "genesis_lung", "none"})
          .gap(8),
      Key("cubes.minimum_standard_deviation",
          0.01,
          "of a cube's values in [0,1], for filter min_std")
          .between(0, 1)
          .gap(8),
      Key("cubes.maximum_retries", 50, "redraws of a rejected cube before it is kept")
          .at_least(0)
          .gap(8),
      Key("ablation.count",
          "match_total",
          "cubes of a single-scale method: as many as SAR's in total, or SAR's share of that scale")
          .one_of({"match_total", "as_scale"})
          .gap(31),
      Key("ablation.keep_mial", true, "single-scale methods keep the adversarial module").gap(31),
      Key("luna.cube_multiplier", 1, "times cubes.*_per_case").at_least(0).gap(1),
      Key("lits.cube_multiplier", 2, "times cubes.*_per_case").at_least(0).gap(1),
      Key("brats.cube_multiplier", 1, "times cubes.*_per_case, for each of the four MR channels")
          .at_least(0)
          .gap(1),
      Key("heart.cube_multiplier", 2, "times cubes.*_per_case").at_least(0).gap(1),
  };
}

std::vector<Key> pretrain_keys() {
  return {
      Key("transform.flip_rate", 0.4, "chance of each of up to three flips").between(0, 1).gap(13),
      Key("transform.flip_axes",
          "xyz",
          "axes that are flipped; repo: the official code's slip, never z")
          .one_of({"xyz", "repo"})
          .gap(13),
      Key("transform.local_shuffle_rate", 0.5, "chance of local shuffling").between(0, 1).gap(12),
      Key("transform.local_shuffle_windows",
          0,
          "shuffled windows per cube; 0: 10,000 at 64x64x32, in proportion elsewhere")
          .at_least(0)
          .gap(12),
      Key("transform.nonlinear_rate", 0.9, "chance of the Bezier intensity map")
          .between(0, 1)
          .gap(12),
      Key("transform.bezier_points", 1000, "entries of the intensity table")
          .between(16, 1000000)
          .gap(12),
      Key("transform.paint_rate", 0.9, "chance of painting").between(0, 1).gap(12),
      Key("transform.inpaint_rate", 0.2, "share of in-painting among the painted")
          .between(0, 1)
          .gap(12),
      Key("pretrain.batch_size", 16, "cubes per step").at_least(2).gap(24),
      Key("pretrain.max_epochs", 100, "cap on epochs").at_least(1).gap(24),
      Key("pretrain.patience", 20, "epochs without improvement before stopping early")
          .at_least(1)
          .gap(24),
      Key("pretrain.validation_fraction",
          0.1,
          "patients per data set held out for the plateau schedule")
          .between(0, 0.9)
          .gap(9),
      Key("pretrain.epoch_cubes", 0, "cap on cubes per epoch; 0: all").at_least(0),
      Key("pretrain.restoration_weight", 10.0, "beta of equation 4").at_least(0),
      Key("pretrain.scale_weight", 1.0, "alpha of equation 4").at_least(0),
      Key("pretrain.restoration_loss",
          "mse",
          "mean squared error, or the un-squared norm that equation 1 prints")
          .one_of({"mse", "l2norm"})
          .gap(20),
      Key("pretrain.loss_reduction", "mean", "mean or sum over the batch")
          .one_of({"mean", "sum"})
          .gap(21),
      Key("pretrain.initialisation_seed",
          0,
          "added to the seed of pre-training; trials share one pre-training")
          .at_least(0)
          .gap(42),
      Key("optimizer.name", "sgd", "optimiser of pre-training").one_of({"sgd", "adam"}),
      Key("optimizer.learning_rate", 1.0, "initial learning rate of the network in pre-training")
          .at_least(0),
      Key("optimizer.momentum", 0.9, "of SGD").between(0, 1).gap(23),
      Key("optimizer.weight_decay", 0.0, "of the pre-training optimiser").at_least(0).gap(23),
      Key("optimizer.clip_norm", 0.0, "gradient norm is clipped to this; 0: off").at_least(0),
      Key("schedule.pretrain_decay",
          "plateau",
          "learning rates fall when the validation loss stops falling, or step by step along a "
          "cosine that ends at 0 after the last epoch that is allowed")
          .one_of({"plateau", "cosine"})
          .added_later(),
      Key("schedule.finetune_decay", "plateau", "the same, of fine-tuning")
          .one_of({"plateau", "cosine"})
          .added_later(),
      Key("schedule.pretrain_factor", 0.5, "learning rates are multiplied by this on a plateau")
          .between(0, 1)
          .gap(25),
      Key("schedule.pretrain_patience", 10, "epochs on a plateau").at_least(0).gap(25),
      Key("schedule.finetune_factor", 0.5, "learning rate is multiplied by this on a plateau")
          .between(0, 1)
          .gap(25),
      Key("schedule.finetune_patience", 6, "epochs on a plateau").at_least(0).gap(25),
      Key("schedule.threshold", 1e-4, "least improvement that counts").at_least(0).gap(25),
      Key("schedule.threshold_mode", "relative", "threshold relative to the best loss or absolute")
          .one_of({"relative", "absolute"})
          .gap(25),
      Key("schedule.minimum_learning_rate", 1e-6, "of the network's group").at_least(0).gap(25),
      Key("schedule.monitor", "restoration_and_scale", "validation loss that drives the plateau")
          .one_of({"restoration_and_scale", "restoration", "total"})
          .gap(22),
  };
}

std::vector<Key> task_keys() {
  return {
      Key("finetune.learning_rate", 1e-3, "initial learning rate of Adam").at_least(0),
      Key("finetune.batch_size", 16, "patches per step").at_least(1).gap(33),
      Key("finetune.max_epochs", 200, "cap on epochs").at_least(1).gap(33),
      Key("finetune.patience", 30, "epochs without improvement before stopping early")
          .at_least(1)
          .gap(33),
      Key("finetune.patch_voxels", {64, 64, 32}, "patch, x y z; multiples of 8")
          .between(8, 512)
          .gap(32),
      Key("finetune.patches_per_case", 8, "patches that a training case gives per epoch")
          .at_least(1)
          .gap(34),
      Key("finetune.foreground_ratio", 0.33, "share of patches centred on a foreground voxel")
          .between(0, 1)
          .gap(34),
      Key("finetune.augmentation", "none", "random flips of each axis, or none")
          .one_of({"none", "flip"})
          .gap(35),
      Key("finetune.spacing_mm", {1.0, 1.0, 1.0}, "voxel spacing of task volumes, x y z")
          .at_least(0.01)
          .gap(36),
      Key("finetune.normalization",
          "paper",
          "as printed (z-score), or to [0,1] as in pre-training: all tasks, or those on MRI alone")
          .one_of({"paper", "unit", "unit_mri"})
          .gap(37),
      Key("finetune.frozen_epochs",
          0,
          "first epochs in which the head alone learns (BatchNorm still follows its input); all of "
          "them: a linear probe of what was transferred")
          .at_least(0)
          .added_later(),
      Key("finetune.kept_epoch",
          "best",
          "whose weights are evaluated: the epoch of the lowest validation loss, or the last "
          "(then finetune.patience stops nothing)")
          .one_of({"best", "last"})
          .added_later(),
      Key("finetune.head_rate_factor",
          1.0,
          "learning rate of the 1x1x1 head as a multiple of the other layers'")
          .at_least(0)
          .added_later(),
      Key("finetune.reset_head", true, "fresh 1x1x1 head for every method").gap(39),
      Key("finetune.loss_smooth",
          1.0,
          "smoothing term of the genesis and multi_foreground losses; the others keep 1e-5")
          .at_least(0)
          .gap(40),
      Key("finetune.validation_fraction",
          0.125,
          "share of the training cases used for the schedule")
          .between(0, 0.9)
          .gap(41),
      Key("finetune.steps_per_epoch",
          "fixed",
          "small fractions keep the full run's steps, or in proportion to cases")
          .one_of({"fixed", "cases"})
          .gap(53),
      Key("brats.loss", "genesis", "Dice loss")
          .one_of({"genesis", "multi_foreground", "taleb", "nnunet"})
          .gap(40),
      Key("pancreas.loss", "multi_foreground", "Dice loss")
          .one_of({"multi_foreground", "taleb", "nnunet"})
          .gap(40),
      Key("brats.modality", "flair", "MR channel of the task")
          .one_of({"flair", "t1", "t1ce", "t2"})
          .gap(56),
      Key("brats.labels", {1, 2, 4}, "labels that make up the tumour").between(1, 255).gap(56),
      Key("brats.test_ratio", 1.0 / 3.0, "share of patients in the test set (2:1)")
          .between(0.01, 0.99),
      Key("brats.split_mode",
          "fixed",
          "one split and several seeds, or a split per trial (then pre-training is repeated)")
          .one_of({"fixed", "resample"})
          .gap(42),
      Key("brats.split_file",
          "",
          "TOML file with train and test id lists instead of the random split")
          .gap(42),
      Key("brats.zero_background", true, "background stays 0 after the z-score").gap(38),
      Key("pancreas.folds", 5, "folds of cross-validation").at_least(2),
      Key("pancreas.clip_hu", {-96.0, 215.0}, "intensities are clipped to this range"),
      Key("pancreas.mean_hu", 77.99, "subtracted after clipping"),
      Key("pancreas.standard_deviation_hu", 75.40, "divisor after subtracting").at_least(1e-6),
      Key("evaluate.step", 0.5, "sliding-window step relative to the patch")
          .between(0.05, 1)
          .gap(46),
      Key("evaluate.gaussian", true, "Gaussian weights of overlapping windows").gap(46),
      Key("evaluate.mode", "windows", "sliding windows, or the whole padded volume in one pass")
          .one_of({"windows", "whole"})
          .gap(46),
      Key("evaluate.batch_size", 4, "windows per forward pass").at_least(1),
      Key("evaluate.threshold", 0.5, "probability that counts as tumour").between(0, 1),
      Key("evaluate.grid", "native", "grid on which Dice is counted")
          .one_of({"native", "resampled"})
          .gap(47),
      Key("evaluate.pool", false, "pool voxels over cases instead of averaging case Dice").gap(45),
      Key("evaluate.empty_dice_percent", 100.0, "Dice if prediction and truth are both empty")
          .between(0, 100)
          .gap(45),
      Key("evaluate.keep_largest", false, "keep only the largest component").gap(48),
      Key("evaluate.average_background",
          false,
          "the average over targets (MSD) takes the background in as a third one")
          .gap(51),
      Key("evaluate.organ_includes_tumor", false, "pancreas organ target is classes 1 and 2"),
      Key("buckets.rule", "quartile", "how test cases fall into S, M, L")
          .one_of({"quartile", "tertile", "thresholds"})
          .gap(44),
      Key("buckets.source",
          "test",
          "set whose volumes give the edges of quartiles and tertiles: test or training cases")
          .one_of({"test", "train"})
          .gap(44),
      Key("buckets.thresholds_mm3",
          {10000.0, 50000.0},
          "for rule thresholds: M from the first, L from the second")
          .at_least(0)
          .gap(44),
      Key("fractions.nested", true, "smaller label subsets lie inside larger ones").gap(49),
      Key("fractions.trials", 0, "trials at fractions below 1; 0: as many as at 1")
          .at_least(0)
          .gap(50),
      Key("statistics.alpha", 0.05, "significance level").between(0, 1).gap(52),
      Key("statistics.test", "student", "two-sample test over trials")
          .one_of({"student", "welch"})
          .gap(52),
      Key("statistics.delta_degrees_of_freedom",
          1,
          "printed SDs divide by n less this; tests always by n - 1")
          .between(0, 1)
          .gap(43),
      Key("output.loss_curve_smoothing_steps",
          1,
          "steps over which a plotted training loss is averaged; 1: as it is")
          .at_least(1)
          .gap(54),
      Key("output.example_slices",
          true,
          "an evaluation keeps slices of its best, median and worst cases for reports; false: no "
          "image leaves the data and the prepared volumes"),
      Key("statistics.correction", "none", "correction over the family of one table")
          .one_of({"none", "holm", "bh"})
          .gap(52),
      Key("statistics.margin_dice_points",
          2.0,
          "difference in Dice (percentage points) below which two means count as equivalent")
          .between(0.001, 100),
      Key("statistics.power", 0.8, "power at which a difference counts as detectable")
          .between(0.5, 0.999),
  };
}

std::vector<Key> phantom_keys() {
  return {
      Key("phantom.seed", 0, "seed of the phantom suite").at_least(0),
      Key("phantom.side_voxels", 56, "in-plane voxels of the largest phantom volumes")
          .between(32, 512),
      Key("phantom.luna_cases", 6, "lung CT phantoms").at_least(1),
      Key("phantom.lits_cases", 3, "liver CT phantoms").at_least(1),
      Key("phantom.brats_cases", 30, "brain MRI phantoms, four channels each").at_least(3),
      Key("phantom.heart_cases", 2, "heart MRI phantoms").at_least(1),
      Key("phantom.pancreas_cases", 15, "pancreas CT phantoms").at_least(2),
  };
}

}  // namespace

Schema core_schema() {
  Schema schema;
  for (auto* make : {&general_keys, &cube_keys, &pretrain_keys, &task_keys, &phantom_keys}) {
    for (Key& key : make()) {
      schema.add(std::move(key.spec));
    }
  }
  return schema;
}

bool normalised_to_unit(const Settings& settings, std::string_view task) {
  const std::string kind = settings.text("finetune.normalization");
  return kind == "unit" || (kind == "unit_mri" && task == "brats");
}

}  // namespace sar
